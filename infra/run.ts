/** Runs one command line to its exit code. Tests call it in process, with streams of their own. */
import { CommanderError } from "@commander-js/extra-typings";
import { commandLine } from "./program.ts";
import { type Io, onTerminal, warn, warnJson } from "./terminal/terminal.ts";

/** @param argv what follows the program's name: `["check", "--json"]` */
export const run = (argv: readonly string[], io: Io): Promise<number> =>
  onTerminal(io, async (session) => {
    try {
      await commandLine().parseAsync(argv, { from: "user" });
      return session.exitCode;
    } catch (error) {
      if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
      fail(error, argv.includes("--json"));
      return 3;
    }
  });

const fail = (error: unknown, json: boolean): void => {
  const message = error instanceof Error ? error.message : String(error);
  const remedy = remedyOf(error);
  if (json) warnJson({ error: message, remedy });
  else warn(`postern: ${message}${remedy === undefined ? "" : `\n         ${remedy}`}`);
};

/** What to do about it, where the error says so. */
const remedyOf = (error: unknown): string | undefined =>
  error instanceof Error && "remedy" in error && typeof error.remedy === "string" ? error.remedy : undefined;
