/** The result of a command: a text for people, and the same content as data. */

import type { ExitCode } from "./contract.ts";
import { print, printCommands, printDocument, printJson, warn } from "./terminal.ts";

export interface Outcome {
  readonly exitCode: ExitCode;
  readonly text: string;
  /** Commands for GitHub's runner: `::error file=…::…`, one a line, ahead of the text. Their content is escaped. */
  readonly commands?: string;
  /**
   * A product such as a document: alone on stdout, whatever the exit code. The text is about it, and goes to stderr.
   */
  readonly product?: string;
  /** Undefined if it has been printed already, line by line. */
  readonly data: unknown;
}

export const printOutcome = ({ exitCode, text, commands = "", product, data }: Outcome, json: boolean): void => {
  if (product !== undefined) {
    printDocument(product);
    warn(text);
  } else if (json) {
    if (data !== undefined) printJson(data, 2);
  } else {
    printCommands(commands);
    // A rollout that was rolled back, or a risky change, is a result, not a failure of the command.
    (exitCode === 0 || exitCode >= 4 ? print : warn)(text);
  }
};
