/** `postern ci`: all checks of a pull request, in one call and one report. */
import fs from "node:fs";
import pc from "picocolors";
import type { Failure } from "../../cases/judge.ts";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { type Annotation, annotations } from "../../diagnostics/annotations.ts";
import { type Problem, sortDiagnostics } from "../../diagnostics/problem.ts";
import type { Finding } from "../../review/audit/finding.ts";
import { type Review, renderComment } from "../../review/comment.ts";
import { compareRisk, type Risk } from "../../review/core/risks.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { annotateFindings, check } from "../authoring/check.ts";
import { repo } from "../authoring/repo.ts";
import { compareVersions } from "./diff.ts";
import { test } from "./test.ts";

interface Options {
  readonly root: string;
  /** Severity from which findings and changes fail; by default high findings, and no change. */
  readonly failOn?: Risk | "never" | undefined;
  readonly annotate?: true | undefined;
  readonly comment?: string | undefined;
  readonly failUnder?: string | undefined;
  readonly json?: true | undefined;
}

interface Stage {
  readonly name: string;
  readonly outcome: Outcome;
  /** Skipped, since an earlier stage reports the same manifests. */
  readonly isSkipped?: boolean;
}

export const ci = async (base: string, options: Options): Promise<Outcome> => {
  const { root, failOn, annotate, comment, failUnder } = options;
  const { exitCode, human, markdown, data } = compareVersions(base, undefined, { root, failOn });
  // `check` covers all environments; cases run in one: `local`, or else the first.
  const names = environmentNames(root);
  const env = names.includes("local") ? "local" : (names[0] ?? "local");
  const stages = reportOnce([
    { name: "check", outcome: check({ root, failOn }) },
    { name: "repo", outcome: repo({ root, check: true }) },
    { name: "test", outcome: await test([], { root, env, failUnder, json: options.json }) },
    { name: "diff", outcome: { exitCode, text: human, data } },
  ]);
  if (comment !== undefined) fs.writeFileSync(comment, renderComment(toReview(stages, markdown, options)));
  const failed = stages.filter(({ outcome }) => outcome.exitCode !== 0);
  const worst = failed.find(({ outcome }) => outcome.exitCode !== 5) ?? failed[0];
  return {
    exitCode: worst?.outcome.exitCode ?? 0,
    ...(annotate && { commands: annotationsOf(stages) }),
    text: stages.map(renderStage).join("\n"),
    data: Object.fromEntries(
      stages.map(({ name, outcome }) => [name, { exitCode: outcome.exitCode, ...(outcome.data as object) }]),
    ),
  };
};

/** Problems of manifests are reported by `check` only; later stages with problems are skipped then. */
const reportOnce = ([checked, ...others]: readonly [Stage, ...Stage[]]): readonly Stage[] => {
  const text = "skipped until the problems above are fixed\n";
  const isSkipped = (it: Stage) => problemsOf(checked).length > 0 && problemsOf(it).length > 0;
  return [
    checked,
    ...others.map((it) => (isSkipped(it) ? { ...it, isSkipped: true, outcome: { ...it.outcome, text } } : it)),
  ];
};

/** Problems with a location; other problems of a stage are strings. */
const problemsOf = ({ outcome }: Stage): readonly Problem[] => {
  const { problems = [] } = outcome.data as { readonly problems?: readonly (Problem | string)[] };
  return problems.filter((it) => typeof it === "object");
};

/** Workflow commands for all problems, findings and failures. They work anywhere in a log. */
const annotationsOf = (stages: readonly Stage[]): string =>
  annotateFindings(sortDiagnostics(stages.flatMap(problemsOf)), stages.flatMap(findingsOf)) +
  annotations(stages.flatMap(failuresOf), () => "error");

const findingsOf = ({ outcome }: Stage): readonly Finding[] =>
  (outcome.data as { readonly findings?: readonly Finding[] }).findings ?? [];

/** Failing cases, at their lines. */
const failuresOf = ({ outcome }: Stage): Annotation[] => {
  const { tiers = [] } = outcome.data as { readonly tiers?: readonly TestedTier[] };
  return tiers.flatMap(({ file, failures = [] }) =>
    failures.map(({ case: title, line, request, differences }) => ({
      file,
      line,
      column: 1,
      length: 1,
      code: "case",
      message: [
        `${title}: ${request}`,
        ...differences.map(({ of, expected, got }) => `${of}: expected ${expected}, got ${got}`),
      ].join("\n"),
    })),
  );
};

type TestedTier = { readonly file: string; readonly failures?: readonly Failure[] };

const renderStage = ({ name, outcome: { exitCode, text } }: Stage): string => {
  const verdict = exitCode === 0 ? pc.green("passed") : exitCode === 5 ? pc.yellow("is too risky") : pc.red("failed");
  return `${pc.bold(`${name}`)} ${verdict}\n${text.trimEnd()}\n`;
};

/** The data of the comment: everything that blocks the merge, each once. */
const toReview = (stages: readonly Stage[], diff: string, { failOn = "high", failUnder }: Options): Review => {
  const reported = new Set(
    stages.filter(({ name }) => name === "diff").flatMap((it) => problemsOf(it).map(problemKey)),
  );
  const findings = stages.flatMap(findingsOf);
  const isFailing = ({ severity }: Finding) => failOn !== "never" && compareRisk(severity, failOn) >= 0;
  return {
    diff,
    stages: stages.map(({ name, isSkipped, outcome }) => ({
      name,
      verdict: isSkipped ? "waits" : outcome.exitCode === 0 ? "holds" : "fails",
    })),
    problems: sortDiagnostics(stages.flatMap(problemsOf)).filter((it) => !reported.has(problemKey(it))),
    failing: findings.filter(isFailing),
    minor: findings.filter((it) => !isFailing(it)),
    failures: stages.flatMap(failuresOf),
    otherProblems: stages.flatMap((it) => [
      ...plainProblems(it),
      ...coverageProblems(it, failUnder),
      ...riskProblems(it, failOn),
    ]),
  };
};

const problemKey = ({ file, line, column, code, message }: Problem): string =>
  JSON.stringify([file, line, column, code, message]);

/** Problems without a location. */
const plainProblems = ({ outcome }: Stage): readonly string[] => {
  const { problems = [] } = outcome.data as { readonly problems?: readonly (Problem | string)[] };
  return problems.filter((it) => typeof it === "string");
};

const riskProblems = ({ name, outcome }: Stage, failOn: string): string[] =>
  name === "diff" && outcome.exitCode === 5
    ? [`the change is of risk ${(outcome.data as { readonly risk: Risk }).risk}, and --fail-on says ${failOn}`]
    : [];

const coverageProblems = ({ name, outcome }: Stage, failUnder: string | undefined): string[] => {
  const { coverage } = outcome.data as { readonly coverage?: number | null };
  if (name !== "test" || failUnder === undefined || typeof coverage !== "number") return [];
  return coverage < Number(failUnder)
    ? [`the cases try ${coverage} % of the policy, and --fail-under asks for ${failUnder} %`]
    : [];
};
