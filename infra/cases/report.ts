/** Shows what came of cases: a line for each tier, a dialogue for each case that fails, a table of what nobody tried. */
import pc from "picocolors";
import type { CheckedTier } from "../compiler/model/checked.ts";
import { count } from "../diagnostics/report.ts";
import { redacted } from "../diagnostics/secret-literals.ts";
import { stepsOf } from "../explain/steps.ts";
import { table } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal.ts";
import { type Branch, type Coverage, kinds, percentOf } from "./coverage.ts";
import type { Answer, Seen } from "./input/batch.ts";
import type { Suite } from "./input/read.ts";
import type { Difference, Failure } from "./judge.ts";
import type { Report } from "./run.ts";

export const shown = (reports: readonly Report[], ms: number): string => {
  const failed = reports.flatMap((it) => dialoguesOf(it));
  return [...failed, `${reports.map(lineOf).join("")}\n${total(reports, ms)}`].join("\n");
};

/** What failed of a tier's cases is counted by case, whatever is wrong in it. */
export const failedIn = ({ failures }: Report): number => new Set(failures.map((it) => it.case)).size;

const lineOf = (it: Report): string => {
  const failed = failedIn(it);
  const name = it.suite.tier.manifest.tier.padEnd(16);
  if (it.suite.source === undefined) return `${pc.yellow("-")} ${name} no cases; write ${it.suite.file}\n`;
  const cases = count(it.ran.length, "case").padEnd(10);
  const left = it.snapshots.left();
  const note = left.length > 0 ? `  ${count(left.length, "snapshot")} that no case asks for: ${left.join(", ")}` : "";
  return failed > 0
    ? `${pc.red("✗")} ${name} ${cases} ${pc.red(`${failed} failed`)}${note}\n`
    : `${pc.green("✓")} ${name} ${cases} ${count(it.requests, "request")}${note}\n`;
};

const total = (reports: readonly Report[], ms: number): string => {
  const cases = reports.reduce((sum, { ran }) => sum + ran.length, 0);
  const requests = reports.reduce((sum, it) => sum + it.requests, 0);
  const failed = reports.reduce((sum, it) => sum + failedIn(it), 0);
  const said =
    failed > 0
      ? pc.red(`${failed} of ${count(cases, "case")} failed`)
      : pc.green(`${count(cases, "case")} ${cases === 1 ? "holds" : "hold"}`);
  return `${pc.bold(said)}, ${count(requests, "request")} in ${(ms / 1000).toFixed(1)} s\n`;
};

const width = 22;

/** Of several requests of one step that fail, the first tells why. */
const dialoguesOf = ({ suite, failures }: Report): string[] =>
  failures.map((it, index) => {
    const before = failures[index - 1];
    return dialogue(suite, it, before?.case !== it.case || before.step !== it.step);
  });

/** The client sends, the services see, the client gets; then why. */
const dialogue = ({ file, tier }: Suite, failure: Failure, traced: boolean): string => {
  const { request, differences, heard, step, steps } = failure;
  const where = `${file}:${failure.line}`;
  const turn = steps > 1 ? `, step ${step} of ${steps}` : "";
  return [
    `${pc.red("✗")} ${pc.bold(`${tier.manifest.tier}: ${oneLine(failure.case)}${turn}`)}  ${pc.dim(where)}`,
    ...(request === "" ? [] : [`  ${"the client sends".padEnd(width)} ${oneLine(request)}`]),
    ...(heard?.seen.slice(0, 3).map(sawLine) ?? []),
    ...(heard?.answers.slice(0, 5).map(gotLine) ?? []),
    ...differenceLines(differences),
    ...(heard?.causes.slice(0, 3).map((it) => `  ${"because".padEnd(width)} ${oneLine(redacted(it))}`) ?? []),
    ...(traced ? traceLines(tier, failure) : []),
    "",
  ].join("\n");
};

const sawLine = ({ upstream, method, target }: Seen): string =>
  `  ${`${upstream} sees`.padEnd(width)} ${method} ${oneLine(redacted(target))}`;

const gotLine = ({ status, code, by, times, route }: Answer): string => {
  const why = code === null ? (by === null ? "" : ` by ${by}`) : ` ${code}${by === null ? "" : ` by ${by}`}`;
  const often = times > 1 ? `, ${times} times` : "";
  return `  ${"the client gets".padEnd(width)} ${status}${why}${often}${route === "" ? "" : pc.dim(`  (${route})`)}`;
};

const differenceLines = (differences: readonly Difference[]): string[] => {
  const wide = Math.max(width - 2, ...differences.map(({ of }) => of.length + "expected ".length));
  return differences.flatMap(({ of, expected, got }) => [
    `    ${pc.green(`${`expected ${oneLine(of)}`.padEnd(wide)} ${oneLine(expected)}`)}`,
    `    ${pc.red(`${"got".padEnd(wide)} ${oneLine(got)}`)}`,
  ]);
};

/** What each filter made of the first of them, why, and on which line that stands. */
const traceLines = (tier: CheckedTier, { send, heard }: Failure): string[] => {
  const [answer] = heard?.answers ?? [];
  if (!send || !answer) return [];
  const { route, decisions, status } = answer;
  const told = { tier, route, decisions, status, code: answer.code ?? undefined };
  const request = new Request(send.url, { headers: send.headers });
  const rows = stepsOf({ ...told, detail: undefined, upstream: undefined, copies: [], unknown: [] }, request)
    .filter(({ verdict }) => verdict !== "asked")
    .map(({ filter, verdict, at }) => [`    ${filter}`, verdict, at]);
  return rows.length === 0 ? [] : [pc.dim(table(["    filter", "verdict", "manifest"], rows).trimEnd())];
};

/** What was tried, by tier and kind, and where stands what was not. */
export const coverageShown = (reports: readonly Report[]): string => {
  const rows = reports.map(({ suite, coverage }) => [
    suite.tier.manifest.tier,
    ...Object.keys(kinds).map((kind) => ratio(coverage, kind as Branch["kind"])),
    `${percentOf([coverage])} %`,
  ]);
  const head = ["tier", ...Object.values(kinds), "tried"];
  const untried = reports.flatMap(({ suite, coverage }) =>
    coverage.untried.map(({ says, at }) => [suite.tier.manifest.tier, says, at]),
  );
  const whole = percentOf(reports.map(({ coverage }) => coverage));
  const list = untried.length === 0 ? "" : `\n${table(["tier", "never tried", "manifest"], untried)}`;
  return `${table(head, rows)}${list}\n${pc.bold(`${whole} % of the policy is tried`)}\n`;
};

const ratio = ({ branches, untried }: Coverage, kind: Branch["kind"]): string => {
  const all = branches.filter((it) => it.kind === kind).length;
  if (all === 0) return "-";
  return `${all - untried.filter((it) => it.kind === kind).length}/${all}`;
};
