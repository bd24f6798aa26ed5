/** `postern check`: reports problems of the manifests in every environment, and findings of the audit. */
import pc from "picocolors";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { type Compiled, compile, manifestFiles } from "../../compiler/compile.ts";
import { annotations } from "../../diagnostics/annotations.ts";
import { type Diagnostic, type Problem, sortDiagnostics } from "../../diagnostics/problem.ts";
import { count, renderProblems } from "../../diagnostics/report.ts";
import { type Audit, audit } from "../../review/audit/audit.ts";
import type { Finding } from "../../review/audit/finding.ts";
import { type Fixes, planFixes, renderPatch, writeFixes } from "../../review/audit/fixing.ts";
import { renderFindings } from "../../review/audit/human.ts";
import { sarif } from "../../review/audit/sarif.ts";
import { compareRisk, type Risk } from "../../review/core/risks.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface CheckOptions {
  readonly root: string;
  readonly env?: string | undefined;
  readonly format?: "human" | "github" | "sarif" | undefined;
  readonly failOn?: Risk | "never" | undefined;
  readonly fix?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** Checks every environment, since a value that one of them lacks stops a release there. */
export const check = (options: CheckOptions, now: number = Date.now()): Outcome => {
  const { root, env, fix, dryRun } = options;
  const environments = env === undefined ? environmentNames(root) : [env];
  if (environments.length === 0 && manifestFiles(root))
    throw new Error("there is no environment; write routes/environments/local.yaml");
  const checked = runCheck(options, environments, now);
  if (!fix) return toOutcome(checked, options);
  const fixes = planFixes(root, checked.audit.findings);
  if (dryRun) return toOutcome(checked, options, { text: renderPatch(fixes), data: { patch: renderPatch(fixes) } });
  writeFixes(root, fixes, environments);
  return toOutcome(runCheck(options, environments, now), options, reportFixes(fixes));
};

interface CheckResult {
  readonly environments: readonly string[];
  readonly all: readonly Compiled[];
  readonly problems: readonly Problem[];
  readonly audit: Audit;
}

const runCheck = ({ root, env }: CheckOptions, environments: readonly string[], now: number): CheckResult => {
  const all = environments.map((name) => compile(root, name));
  const problems = sortDiagnostics(all.flatMap((it) => it.problems));
  const isComplete = env === undefined && all.every(({ missing }) => missing.length === 0);
  return { environments, all, problems, audit: audit(all, { root, now, isComplete }) };
};

/** What --fix has done. */
interface FixReport {
  readonly text: string;
  readonly data: object;
}

const reportFixes = ({ applied }: Fixes): FixReport => ({
  text: applied.map((it) => `${pc.green("fixed")}  ${it.file}:${it.line}  ${it.code}  ${it.fix?.says}\n`).join(""),
  data: { fixed: applied.map(({ file, line, code, fix }) => ({ file, line, code, says: fix?.says })) },
});

const listed = (names: readonly string[]): string =>
  [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((it) => it !== "").join(" and ");

const toOutcome = (checked: CheckResult, options: CheckOptions, fixReport?: FixReport): Outcome => {
  const { all, environments, problems, audit: audited } = checked;
  const { failOn = "high", format = "human" } = options;
  const hasFailingFinding =
    failOn !== "never" && audited.findings.some(({ severity }) => compareRisk(severity, failOn) >= 0);
  const broken = new Set(all.flatMap((it) => it.brokenFiles)).size;
  const [{ read, tiers } = { read: 0, tiers: [] }] = all;
  const routes = tiers.reduce((sum, { checked }) => sum + checked.routes.length, 0);
  const holds = `${count(tiers.length, "tier")} with ${count(routes, "route")}: no problems in ${listed(environments)}\n`;
  const parts = [
    fixReport?.text ?? "",
    renderProblems(problems, { read, broken }),
    renderFindings(audited),
    problems.length > 0 ? "" : pc.green(holds),
  ];
  return {
    exitCode: problems.length > 0 ? 1 : hasFailingFinding ? 5 : 0,
    ...(format === "github"
      ? { commands: annotateFindings(problems, audited.findings), text: "" }
      : { text: parts.filter(Boolean).join("\n") }),
    data:
      format === "sarif"
        ? sarif(problems, audited)
        : { environments, manifests: read, broken, routes, problems, ...dataOf(audited), ...fixReport?.data },
  };
};

type Graded = Diagnostic & Pick<Finding, "severity">;

const levels = { high: "error", medium: "warning", low: "notice" } as const;

/** Annotations of a pull request. */
export const annotateFindings = (problems: readonly Problem[], findings: readonly Graded[]): string =>
  annotations(problems, () => "error") + annotations(findings, ({ severity }) => levels[severity]);

const dataOf = ({ findings, ignored }: Audit) => ({
  findings: findings.map(withoutFix),
  ignored: ignored.map(({ finding, until, reason }) => ({ ...withoutFix(finding), until, reason })),
});

const withoutFix = ({ fix, ...it }: Finding) => ({ ...it, ...(fix && { fix: fix.says }) });
