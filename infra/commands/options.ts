/** Options and manners that verbs share: what two of them take is declared here, once. */
import path from "node:path";
import { type Command, Option, type OptionValues } from "@commander-js/extra-typings";
import { grades } from "../review/core/risks.ts";
import { type Outcome, printOutcome } from "../terminal/outcome.ts";
import { endWith } from "../terminal/terminal.ts";

export const root = new Option("--root <folder>", "the project's folder")
  .default(process.cwd(), "here")
  .argParser((folder) => path.resolve(folder));
export const environment = (name: string) =>
  new Option("-e, --env <name>", "a file of routes/environments").default(name);
/** Where the environment goes by the target. */
export const targetEnvironment = new Option(
  "-e, --env <name>",
  "a file of routes/environments; by default production, and local on a local cloud",
);
export const as = new Option("--as <operator>", "who asks").env("POSTERN_OPERATOR");
export const message = new Option("-m, --message <text>", "why; it is written down");
export const force = new Option("--force", "replace the files that are there");
export const checkOnly = new Option("--check", "write nothing; exit with 1 where something is missing or stale");
export const onlyEnvironment = new Option("-e, --env <name>", "only in this one of routes/environments");
export const failUnder = new Option("--fail-under <per cent>", "exit with 1 where the cases try less of the policy");
/** @param what may be as grave; @param fallback what fails where nobody says, if that is no grade */
export const failOn = (what: string, fallback?: string) =>
  new Option(
    "--fail-on <risk>",
    `exit with 5 where ${what} is as grave as this${fallback === undefined ? "" : `; by default ${fallback}`}`,
  ).choices([...grades, "never"] as const);
export const header = new Option("-H, --header <line...>", "a header of the request: 'content-type: application/json'");
export const body = new Option("-d, --data <body>", "the body of the request");
export const isolates = new Option("--isolates <count>", "of each Worker, as production runs many").default("1");
export const bake = new Option("--bake <time>", "of each step, in place of the manifest's: 30s");
export const watch = new Option("--watch", "stay, and show how it goes");
export const json = new Option("--json", "machine-readable output");
export const target = new Option("--target <where>", "cloudflare, local, or a local cloud's URL").default("cloudflare");

/** What `controlled` adds. */
interface ControlOptions {
  readonly as?: string | undefined;
  readonly target: string;
  readonly env?: string | undefined;
  readonly root: string;
  readonly json?: true | undefined;
}

/** Adds what every verb takes that asks control for something. */
export const addControlOptions = <Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(
  command: Command<Args, Options, Global>,
) =>
  command
    .addOption(as)
    .addOption(target)
    .addOption(targetEnvironment)
    .addOption(root)
    .addOption(json) as unknown as Command<Args, Options & ControlOptions, Global>;

const exampleColumns = 38;

/** Lines to paste, and what each does: beside it where both fit, else below. */
export const examples = (lines: Readonly<Record<string, string>>) =>
  `\nExamples:\n${Object.entries(lines)
    .map(([line, meaning]) =>
      line.length <= exampleColumns || meaning === ""
        ? `  $ ${line.padEnd(exampleColumns)} ${meaning}`.trimEnd()
        : `  $ ${line}\n      ${meaning}`,
    )
    .join("\n")}`;

export const finish = (outcome: Outcome, options: { readonly json?: true | undefined }): void => {
  printOutcome(outcome, options.json === true);
  endWith(outcome.exitCode);
};
