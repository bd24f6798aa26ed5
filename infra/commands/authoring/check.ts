/** `postern check` */
import pc from "picocolors";
import { environmentNames } from "../../compiler/check/shared-files.ts";
import { type Compiled, compile, manifestFiles } from "../../compiler/compile.ts";
import { annotations } from "../../diagnostics/annotations.ts";
import { inOrder, type Problem, type Remark } from "../../diagnostics/problem.ts";
import { count, report } from "../../diagnostics/report.ts";
import { type Audit, audit } from "../../review/audit/audit.ts";
import type { Finding } from "../../review/audit/finding.ts";
import { type Fixes, fixesOf, patchOf, writeFixes } from "../../review/audit/fixing.ts";
import { reportFindings } from "../../review/audit/human.ts";
import { sarif } from "../../review/audit/sarif.ts";
import { byRisk, type Risk } from "../../review/core/risks.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly env?: string | undefined;
  readonly format?: "human" | "github" | "sarif" | undefined;
  readonly failOn?: Risk | "never" | undefined;
  readonly fix?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** In every environment, since a value that only one of them lacks stops a release there. */
export const check = (options: Options, now: number = Date.now()): Outcome => {
  const { root, env, fix, dryRun } = options;
  const environments = env === undefined ? environmentNames(root) : [env];
  if (environments.length === 0 && manifestFiles(root))
    throw new Error("there is no environment; write routes/environments/local.yaml");
  const checked = checkedIn(options, environments, now);
  if (!fix) return outcome(checked, options);
  const fixes = fixesOf(root, checked.audit.findings);
  if (dryRun) return outcome(checked, options, { text: patchOf(fixes), data: { patch: patchOf(fixes) } });
  writeFixes(root, fixes, environments);
  return outcome(checkedIn(options, environments, now), options, told(fixes));
};

interface Checked {
  readonly environments: readonly string[];
  readonly all: readonly Compiled[];
  readonly problems: readonly Problem[];
  readonly audit: Audit;
}

const checkedIn = ({ root, env }: Options, environments: readonly string[], now: number): Checked => {
  const all = environments.map((name) => compile(root, name));
  const problems = inOrder(all.flatMap((it) => it.problems));
  const isWhole = env === undefined && all.every(({ missing }) => missing.length === 0);
  return { environments, all, problems, audit: audit(all, { root, now, isWhole }) };
};

/** What was done beside checking. */
interface Beside {
  readonly text: string;
  readonly data: object;
}

const told = ({ done }: Fixes): Beside => ({
  text: done.map((it) => `${pc.green("fixed")}  ${it.file}:${it.line}  ${it.code}  ${it.fix?.says}\n`).join(""),
  data: { fixed: done.map(({ file, line, code, fix }) => ({ file, line, code, says: fix?.says })) },
});

const outcome = (checked: Checked, options: Options, beside?: Beside): Outcome => {
  const { all, environments, problems, audit: audited } = checked;
  const { failOn = "high", format = "human" } = options;
  const grave = failOn !== "never" && audited.findings.some(({ severity }) => byRisk(severity, failOn) >= 0);
  const broken = new Set(all.flatMap((it) => it.brokenFiles)).size;
  const [{ read, tiers } = { read: 0, tiers: [] }] = all;
  const routes = tiers.reduce((sum, { checked }) => sum + checked.routes.length, 0);
  const holds = `${count(tiers.length, "tier")} with ${count(routes, "route")} hold in ${environments.join(" and ")}\n`;
  const parts = [
    beside?.text ?? "",
    report(problems, { read, broken }),
    reportFindings(audited),
    problems.length > 0 ? "" : pc.green(holds),
  ];
  return {
    exitCode: problems.length > 0 ? 1 : grave ? 5 : 0,
    ...(format === "github"
      ? { commands: annotated(problems, audited.findings), text: "" }
      : { text: parts.filter(Boolean).join("\n") }),
    data:
      format === "sarif"
        ? sarif(problems, audited)
        : { environments, manifests: read, broken, routes, problems, ...dataOf(audited), ...beside?.data },
  };
};

type Graded = Remark & Pick<Finding, "severity">;

const levels = { high: "error", medium: "warning", low: "notice" } as const;

/** Beside the lines of a pull request. */
export const annotated = (problems: readonly Problem[], findings: readonly Graded[]): string =>
  annotations(problems, () => "error") + annotations(findings, ({ severity }) => levels[severity]);

const dataOf = ({ findings, ignored }: Audit) => ({
  findings: findings.map(plain),
  ignored: ignored.map(({ finding, until, reason }) => ({ ...plain(finding), until, reason })),
});

const plain = ({ fix, ...it }: Finding) => ({ ...it, ...(fix && { fix: fix.says }) });
