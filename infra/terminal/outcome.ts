/** What a verb has to say: a text for people and the same as data. */

import type { ExitCode } from "./contract.ts";
import { print, printCommands, printDocument, printJson, warn } from "./terminal.ts";

export interface Outcome {
  readonly exitCode: ExitCode;
  readonly text: string;
  /** For GitHub's runner: `::error file=…::…`, one a line, ahead of the text. What they hold is escaped. */
  readonly commands?: string;
  /** What was asked for itself, such as a document: alone on stdout, whatever the exit code. The text is about it, on stderr. */
  readonly product?: string;
  /** Undefined where it has been said already, line by line. */
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
    // That a rollout came back, or that a change is risky, is what was asked for, and no failure of the verb.
    (exitCode === 0 || exitCode >= 4 ? print : warn)(text);
  }
};
