/** `postern ci`: all that a pull request has to pass, in one call and one report. A workflow runs it, and so does a person. */
import fs from "node:fs";
import pc from "picocolors";
import type { Failure } from "../cases/judge.ts";
import { type Annotated, annotations } from "../compiler/annotations.ts";
import { inOrder, type Problem } from "../compiler/problem.ts";
import { environmentNames } from "../compiler/surroundings.ts";
import type { Outcome } from "../outcome.ts";
import type { Finding } from "../review/audit/finding.ts";
import type { Risk } from "../review/risks.ts";
import { codeSpan } from "../review/sentence.ts";
import { annotated, check } from "./check.ts";
import { compared } from "./diff.ts";
import { repo } from "./repo.ts";
import { test } from "./test.ts";

interface Options {
  readonly root: string;
  readonly failOn?: Risk | undefined;
  readonly annotate?: true | undefined;
  readonly comment?: string | undefined;
  readonly failUnder?: string | undefined;
}

interface Stage {
  readonly name: string;
  readonly outcome: Outcome;
}

/** Tells a comment of ours from others, so that there is one, and it is brought up to date. */
export const commentMark = "<!-- postern ci -->";

export const ci = async (base: string, options: Options): Promise<Outcome> => {
  const { root, failOn, annotate, comment, failUnder } = options;
  const { exitCode, human, markdown, data } = compared(base, undefined, { root, failOn });
  // As `check` reads them all, cases are tried in one: that of the machine, or else the first.
  const names = environmentNames(root);
  const env = names.includes("local") ? "local" : (names[0] ?? "local");
  const stages = saidOnce([
    { name: "check", outcome: check({ root }) },
    { name: "repo", outcome: repo({ root, check: true }) },
    { name: "test", outcome: await test([], { root, env, failUnder }) },
    { name: "diff", outcome: { exitCode, text: human, data } },
  ]);
  if (comment !== undefined) fs.writeFileSync(comment, commentOf(stages, markdown));
  const failed = stages.filter(({ outcome }) => outcome.exitCode !== 0);
  const worst = failed.find(({ outcome }) => outcome.exitCode !== 5) ?? failed[0];
  return {
    exitCode: worst?.outcome.exitCode ?? 0,
    text: (annotate ? annotationsOf(stages) : "") + stages.map(shown).join("\n"),
    data: Object.fromEntries(
      stages.map(({ name, outcome }) => [name, { exitCode: outcome.exitCode, ...(outcome.data as object) }]),
    ),
  };
};

/** What makes a manifest not hold is said by the check, and the others wait for it. */
const saidOnce = ([checked, ...others]: readonly [Stage, ...Stage[]]): readonly Stage[] => {
  const text = "told when what does not hold is mended\n";
  const waits = (it: Stage) => problemsOf(checked).length > 0 && problemsOf(it).length > 0;
  return [checked, ...others.map((it) => (waits(it) ? { ...it, outcome: { ...it.outcome, text } } : it))];
};

/** Those that have a place in a file; what else a stage complains of is a text. */
const problemsOf = ({ outcome }: Stage): readonly Problem[] => {
  const { problems = [] } = outcome.data as { readonly problems?: readonly (Problem | string)[] };
  return problems.filter((it) => typeof it === "object");
};

/** Workflow commands work wherever they stand in a log. */
const annotationsOf = (stages: readonly Stage[]): string =>
  annotated(inOrder(stages.flatMap(problemsOf)), stages.flatMap(findingsOf)) +
  annotations(stages.flatMap(failuresOf), () => "error");

const findingsOf = ({ outcome }: Stage): readonly Finding[] =>
  (outcome.data as { readonly findings?: readonly Finding[] }).findings ?? [];

/** Cases that fail, at the lines where they stand. */
const failuresOf = ({ outcome }: Stage): Annotated[] => {
  const { tiers = [] } = outcome.data as { readonly tiers?: readonly Tested[] };
  return tiers.flatMap(({ file, failures = [] }) =>
    failures.map(({ case: said, line, request, differences }) => ({
      file,
      line,
      column: 1,
      length: 1,
      code: "case",
      message: [
        `${said}: ${request}`,
        ...differences.map(({ of, expected, got }) => `${of}: expected ${expected}, got ${got}`),
      ].join("\n"),
    })),
  );
};

type Tested = { readonly file: string; readonly failures?: readonly Failure[] };

const shown = ({ name, outcome: { exitCode, text } }: Stage): string => {
  const verdict =
    exitCode === 0 ? pc.green("holds") : exitCode === 5 ? pc.yellow("is too risky") : pc.red("does not hold");
  return `${pc.bold(`${name}`)} ${verdict}\n${text.trimEnd()}\n`;
};

/** The stages in a line, and what the change does. */
const commentOf = (stages: readonly Stage[], effect: string): string => {
  const line = stages
    .filter(({ name }) => name !== "diff")
    .map(({ name, outcome }) => `${outcome.exitCode === 0 ? "✅" : "❌"} \`${name}\``)
    .join(" · ");
  const failing = [
    ...new Set(stages.flatMap(failuresOf).map((it) => `- \`${it.file}:${it.line}\` ${firstLine(it)}\n`)),
  ];
  const cases = failing.length > 0 ? `\n**Cases that fail**\n\n${failing.slice(0, mostFailing).join("")}` : "";
  return `${commentMark}\n${effect.trimEnd()}\n${cases}\n---\n${line} · run it yourself: \`npx postern ci <base>\`\n`;
};

/** More are in the log. */
const mostFailing = 20;

/** A case can be called anything. */
const firstLine = ({ message }: Annotated): string => codeSpan(message.split("\n")[0] ?? "");
