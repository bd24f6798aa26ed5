/** Renders test results for the terminal: a line for each tier, a dialogue for each failing case, a coverage table. */
import pc from "picocolors";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { count } from "../diagnostics/report.ts";
import { redact } from "../diagnostics/secret-literals.ts";
import { stepsOf } from "../explain/steps.ts";
import { table } from "../terminal/table.ts";
import { toOneLine } from "../terminal/terminal.ts";
import { type Branch, branchKinds, type Coverage, percentOf } from "./coverage.ts";
import type { ObservedResponse, UpstreamCall } from "./input/batch.ts";
import type { Suite } from "./input/read.ts";
import type { Difference, Failure } from "./judge.ts";
import type { Report } from "./run.ts";

export const renderReports = (reports: readonly Report[], ms: number): string => {
  const failed = reports.flatMap((it) => renderFailures(it));
  return [...failed, `${reports.map(renderTierLine).join("")}\n${renderTotal(reports, ms)}`].join("\n");
};

/** The number of failed cases. */
export const failedCount = ({ failures }: Report): number => new Set(failures.map((it) => it.case)).size;

const renderTierLine = (it: Report): string => {
  const failed = failedCount(it);
  const name = it.suite.tier.manifest.tier.padEnd(16);
  if (it.suite.source === undefined) return `${pc.yellow("-")} ${name} no cases; write ${it.suite.file}\n`;
  const cases = count(it.ran.length, "case").padEnd(10);
  const obsolete = it.snapshots.obsolete();
  const note =
    obsolete.length > 0 ? `  ${count(obsolete.length, "snapshot")} that no case uses: ${obsolete.join(", ")}` : "";
  return failed > 0
    ? `${pc.red("✗")} ${name} ${cases} ${pc.red(`${failed} failed`)}${note}\n`
    : `${pc.green("✓")} ${name} ${cases} ${count(it.requests, "request")}${note}\n`;
};

const renderTotal = (reports: readonly Report[], ms: number): string => {
  const cases = reports.reduce((sum, { ran }) => sum + ran.length, 0);
  const requests = reports.reduce((sum, it) => sum + it.requests, 0);
  const failed = reports.reduce((sum, it) => sum + failedCount(it), 0);
  const summary =
    failed > 0
      ? pc.red(`${failed} of ${count(cases, "case")} failed`)
      : pc.green(`${count(cases, "case")} ${cases === 1 ? "holds" : "hold"}`);
  return `${pc.bold(summary)}, ${count(requests, "request")} in ${(ms / 1000).toFixed(1)} s\n`;
};

const labelWidth = 22;

/** Renders each failure; only the first one of a step has the filter trace. */
const renderFailures = ({ suite, failures }: Report): string[] =>
  failures.map((it, index) => {
    const before = failures[index - 1];
    return renderFailure(suite, it, before?.case !== it.case || before.step !== it.step);
  });

/** One failure as a dialogue: the client sends, services see, the client gets; then differences and trace. */
const renderFailure = ({ file, tier }: Suite, failure: Failure, withTrace: boolean): string => {
  const { request, differences, result, step, steps } = failure;
  const where = `${file}:${failure.line}`;
  const turn = steps > 1 ? `, step ${step} of ${steps}` : "";
  return [
    `${pc.red("✗")} ${pc.bold(`${tier.manifest.tier}: ${toOneLine(failure.case)}${turn}`)}  ${pc.dim(where)}`,
    ...(request === "" ? [] : [`  ${"the client sends".padEnd(labelWidth)} ${toOneLine(request)}`]),
    ...(result?.seen.slice(0, 3).map(upstreamLine) ?? []),
    ...(result?.answers.slice(0, 5).map(responseLine) ?? []),
    ...differenceLines(differences),
    ...(result?.causes.slice(0, 3).map((it) => `  ${"because".padEnd(labelWidth)} ${toOneLine(redact(it))}`) ?? []),
    ...(withTrace ? traceLines(tier, failure) : []),
    "",
  ].join("\n");
};

const upstreamLine = ({ upstream, method, target }: UpstreamCall): string =>
  `  ${`${upstream} sees`.padEnd(labelWidth)} ${method} ${toOneLine(redact(target))}`;

const responseLine = ({ status, code, by, times, route }: ObservedResponse): string => {
  const why = code === null ? (by === null ? "" : ` by ${by}`) : ` ${code}${by === null ? "" : ` by ${by}`}`;
  const repeated = times > 1 ? `, ${times} times` : "";
  return `  ${"the client gets".padEnd(labelWidth)} ${status}${why}${repeated}${route === "" ? "" : pc.dim(`  (${route})`)}`;
};

const differenceLines = (differences: readonly Difference[]): string[] => {
  const differenceWidth = Math.max(labelWidth - 2, ...differences.map(({ of }) => of.length + "expected ".length));
  return differences.flatMap(({ of, expected, got }) => [
    `    ${pc.green(`${`expected ${toOneLine(of)}`.padEnd(differenceWidth)} ${toOneLine(expected)}`)}`,
    `    ${pc.red(`${"got".padEnd(differenceWidth)} ${toOneLine(got)}`)}`,
  ]);
};

/** The filter trace of the first response. */
const traceLines = (tier: CheckedTier, { send, result }: Failure): string[] => {
  const [answer] = result?.answers ?? [];
  if (!send || !answer) return [];
  const { route, decisions, status } = answer;
  const explained = { tier, route, decisions, status, code: answer.code ?? undefined };
  const request = new Request(send.url, { headers: send.headers });
  const rows = stepsOf({ ...explained, detail: undefined, upstream: undefined, copies: [], unknown: [] }, request)
    .filter(({ verdict }) => verdict !== "asked")
    .map(({ filter, verdict, at }) => [`    ${filter}`, verdict, at]);
  return rows.length === 0 ? [] : [pc.dim(table(["    filter", "verdict", "manifest"], rows).trimEnd())];
};

/** The coverage table by tier and kind, and the list of uncovered branches. */
export const renderCoverage = (reports: readonly Report[]): string => {
  const rows = reports.map(({ suite, coverage }) => [
    suite.tier.manifest.tier,
    ...Object.keys(branchKinds).map((kind) => ratio(coverage, kind as Branch["kind"])),
    `${percentOf([coverage])} %`,
  ]);
  const columns = ["tier", ...Object.values(branchKinds), "tried"];
  const untried = reports.flatMap(({ suite, coverage }) =>
    coverage.untried.map(({ says, at }) => [suite.tier.manifest.tier, says, at]),
  );
  const total = percentOf(reports.map(({ coverage }) => coverage));
  const list = untried.length === 0 ? "" : `\n${table(["tier", "not covered", "manifest"], untried)}`;
  return `${table(columns, rows)}${list}\n${pc.bold(`${total} % of the policy is covered`)}\n`;
};

const ratio = ({ branches, untried }: Coverage, kind: Branch["kind"]): string => {
  const all = branches.filter((it) => it.kind === kind).length;
  if (all === 0) return "-";
  return `${all - untried.filter((it) => it.kind === kind).length}/${all}`;
};
