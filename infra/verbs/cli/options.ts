/** Options and manners that verbs share. */
import path from "node:path";
import { Option } from "@commander-js/extra-typings";
import { type Outcome, say } from "../../outcome.ts";

export const root = new Option("--root <folder>", "the project's folder")
  .default(process.cwd(), "here")
  .argParser((folder) => path.resolve(folder));
export const environment = (name: string) =>
  new Option("-e, --env <name>", "a file of routes/environments").default(name);
/** Where the environment goes by the target. */
export const onTarget = new Option("-e, --env <name>", "a file of routes/environments").default(
  undefined,
  "production; local on a local cloud",
);
export const as = new Option("--as <operator>", "who asks").env("POSTERN_OPERATOR");
export const message = new Option("-m, --message <text>", "why; it is written down");
export const json = new Option("--json", "machine-readable output");
export const target = new Option("--target <where>", "cloudflare, local, or a local cloud's URL").default("cloudflare");

export const examples = (lines: Readonly<Record<string, string>>) =>
  `\nExamples:\n${Object.entries(lines)
    .map(([line, meaning]) => `  $ ${line.padEnd(38)} ${meaning}`)
    .join("\n")}`;

export const finish = (outcome: Outcome, options: { readonly json?: true | undefined }): void => {
  say(outcome, options.json === true);
  process.exitCode = outcome.exitCode;
};
