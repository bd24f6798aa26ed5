/** Runs every audit rule on every tier in every environment, and applies ignore comments. */
import type { Compiled } from "../../compiler/compile.ts";
import { type SourceLocation, sortDiagnostics } from "../../diagnostics/problem.ts";
import { readProjectFile, sourceOf } from "../../diagnostics/source.ts";
import { type Finding, ruleDocs } from "./finding.ts";
import { unusedIgnore } from "./ignore-rules.ts";
import { type Ignore, ignoreFinding, parseIgnores } from "./ignores.ts";
import { rules } from "./registry.ts";
import { createPatternCosts } from "./rule-kit/patterns.ts";
import type { AuditTarget, RawFinding, Rule } from "./rule-kit/rule.ts";

export interface Audit {
  /** Sorted by location. */
  readonly findings: readonly Finding[];
  readonly ignored: readonly Ignored[];
}

/** A finding that an ignore comment accepts. */
export interface Ignored {
  readonly finding: Finding;
  readonly until: string;
  readonly reason: string;
}

interface AuditOptions {
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether all environments and manifests are included, so that unused ignores can be reported. */
  readonly isComplete: boolean;
}

/** @param compiled the same project, once for each environment */
export const audit = (compiled: readonly Compiled[], { root, now, isComplete }: AuditOptions): Audit => {
  const targets = auditTargets(compiled, root, now);
  const files = new Map(targets.flatMap((it) => it.files.map((source) => [source.file, source] as const)));
  const ids = rules().map(({ id }) => id);
  const parsed = [...files.values()].map((source) => parseIgnores(source, ids, now));
  const names = compiled.map(({ environment }) => environment.name);
  const found = collectFindings(targets, names);
  const ignores = parsed.flatMap(({ valid }) => valid);
  const atLine = Map.groupBy(ignores, ({ location, line }) => lineKey({ file: location.file, line }));
  const ignored = found.flatMap((finding) => findIgnore(finding, atLine.get(lineKey(finding)) ?? []));
  const ignoredFindings = new Set(ignored.map(({ finding }) => finding));
  const usedIgnores = new Set(ignored.map(({ finding }) => ignoreKey(finding, finding.code)));
  const findings = [
    ...found.filter((it) => !ignoredFindings.has(it)),
    ...parsed.flatMap((it) => it.findings),
    ...(isComplete ? ignores.flatMap((it) => checkUnused(it, usedIgnores)) : []),
  ];
  return { findings: sortDiagnostics(findings), ignored };
};

const auditTargets = (compiled: readonly Compiled[], root: string, now: number): AuditTarget[] => {
  const patternCosts = createPatternCosts();
  return compiled.flatMap(({ tiers, environment }) => {
    const environmentSource = sourceOf(environment.file, readProjectFile(root, environment.file));
    return tiers.map(({ checked: tier }): AuditTarget => {
      const files = [tier.source, ...(tier.preset ? [tier.preset.source] : []), environmentSource];
      return { tier, environment, files, now, patternCosts };
    });
  });
};

/** Runs all rules. A finding at one location is reported once, with its environments unless all have it. */
const collectFindings = (targets: readonly AuditTarget[], names: readonly string[]): Finding[] => {
  const found = new Map<string, { readonly finding: Finding; readonly environments: Set<string> }>();
  const all = rules();
  for (const target of targets)
    for (const rule of all)
      for (const raw of rule.check(target)) {
        const finding = toFinding(rule, raw);
        const key = JSON.stringify([finding.file, finding.line, finding.column, finding.code]);
        const known = found.get(key) ?? { finding, environments: new Set() };
        found.set(key, known);
        known.environments.add(target.environment.name);
      }
  return [...found.values()].map(({ finding, environments }) => {
    if (environments.size === names.length) return finding;
    const environmentNames = names.filter((it) => environments.has(it));
    return {
      ...finding,
      message: `${finding.message} (in ${environmentNames.join(" and ")})`,
      environments: environmentNames,
    };
  });
};

export const toFinding = ({ id, severity }: Rule, { source, at, key, fix, related, ...it }: RawFinding): Finding => ({
  ...source.related(at, it.message, key),
  code: id,
  severity,
  remedy: it.remedy,
  ...(related && related.length > 0 && { related }),
  docs: ruleDocs(id),
  environments: [],
  ...(fix && { fix }),
});

const lineKey = ({ file, line }: Pick<SourceLocation, "file" | "line">): string => `${file}:${line}`;
const ignoreKey = (location: Pick<SourceLocation, "file" | "line">, rule: string): string =>
  `${lineKey(location)} ${rule}`;

const findIgnore = (finding: Finding, ignores: readonly Ignore[]): Ignored[] => {
  const by = ignores.find((it) => it.rules.includes(finding.code));
  return by ? [{ finding, until: by.until, reason: by.reason }] : [];
};

/** @param usedIgnores lines and rules that are ignored there */
const checkUnused = ({ location, line, rules: ids, range }: Ignore, usedIgnores: ReadonlySet<string>): Finding[] => {
  const unusedIds = ids.filter((id) => !usedIgnores.has(ignoreKey({ file: location.file, line }, id)));
  return unusedIds.map((id) => ({
    ...ignoreFinding(unusedIgnore, location, `${id} finds nothing here`, "remove it"),
    ...(unusedIds.length === ids.length && {
      fix: { says: `an ignore of ${ids.join(" and ")} is removed`, change: { kind: "cut" as const, range } },
    }),
  }));
};
