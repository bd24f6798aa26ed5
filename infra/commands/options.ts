/** Options that several commands share. */
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
/** For commands whose default environment depends on the target. */
export const targetEnvironment = new Option(
  "-e, --env <name>",
  "a file of routes/environments; by default production, and local on a local cloud",
);
export const as = new Option("--as <operator>", "the operator who runs the command").env("POSTERN_OPERATOR");
export const message = new Option("-m, --message <text>", "the reason, which is recorded");
export const force = new Option("--force", "replace existing files");
export const checkOnly = new Option("--check", "write nothing; exit with 1 if something is missing or stale");
export const onlyEnvironment = new Option("-e, --env <name>", "only in this one of routes/environments");
export const failUnder = new Option("--fail-under <per cent>", "exit with 1 if the cases cover less of the policy");
/**
 * @param what the findings or changes that have a risk
 * @param fallback describes the default, where the option has none of its own
 */
export const failOn = (what: string, fallback?: string) =>
  new Option(
    "--fail-on <risk>",
    `exit with 5 if ${what} has this risk or a higher one${fallback === undefined ? "" : `; by default ${fallback}`}`,
  ).choices([...grades, "never"] as const);
export const header = new Option("-H, --header <line...>", "a header of the request: 'content-type: application/json'");
export const body = new Option("-d, --data <body>", "the body of the request");
export const isolates = new Option("--isolates <count>", "isolates of each Worker; production runs many").default("1");
export const bake = new Option("--bake <time>", "the bake time of each step, such as 30s; overrides the manifest");
export const watch = new Option("--watch", "keep running and show the progress");
/** Where `postern cloud` listens by default. */
const defaultUrl = "http://127.0.0.1:8799";
export const json = new Option("--json", "machine-readable output");
export const target = new Option(
  "--target <where>",
  "cloudflare, local, a local cloud's URL, or a target of postern.config.ts",
).default("cloudflare");
export const localTarget = new Option("--target <url>", "the local cloud's URL").default("local", defaultUrl);

/** The options that `addControlOptions` adds. */
interface ControlOptions {
  readonly as?: string | undefined;
  readonly target: string;
  readonly env?: string | undefined;
  readonly root: string;
  readonly json?: true | undefined;
}

/** Adds the options of every command that calls control. */
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
const lineColumns = 80;

/** Examples to paste, each with its explanation: beside it when both fit in 80 columns, else below. */
export const examples = (lines: Readonly<Record<string, string>>) =>
  `\nExamples:\n${Object.entries(lines)
    .map(([line, meaning]) => {
      const beside = `  $ ${line.padEnd(exampleColumns)}  ${meaning}`.trimEnd();
      const fits = meaning === "" || (line.length <= exampleColumns && beside.length <= lineColumns);
      return fits ? beside : `  $ ${line}\n      ${meaning}`;
    })
    .join("\n")}`;

export const finish = (outcome: Outcome, options: { readonly json?: true | undefined }): void => {
  printOutcome(outcome, options.json === true);
  endWith(outcome.exitCode);
};
