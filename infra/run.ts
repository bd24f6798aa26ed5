/** Runs one command line to its exit code. Tests call it in process, with streams of their own. */
import { CommanderError } from "@commander-js/extra-typings";
import { commandLine } from "./program.ts";
import { keepOutput } from "./terminal/log.ts";
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
  const remedy = propertyOf(error, "remedy");
  if (json) {
    warnJson({ error: message, remedy });
    return;
  }
  const output = propertyOf(error, "output");
  const file = output === undefined ? undefined : keepOutput(process.cwd(), "wrangler", output);
  const more = [remedy, file && `wrangler's output: ${file}`].filter((it) => it !== undefined);
  warn([`postern: ${message}`, ...more].join("\n         "));
};

/** `remedy`: what to do about it. `output`: what another program printed. */
const propertyOf = (error: unknown, name: "remedy" | "output"): string | undefined => {
  const value = error instanceof Error ? (error as { remedy?: unknown; output?: unknown })[name] : undefined;
  return typeof value === "string" ? value : undefined;
};
