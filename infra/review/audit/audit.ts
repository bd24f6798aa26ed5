/** The audit: every rule over every tier in every environment, less what is ignored for a reason. */
import type { Compiled } from "../../compiler/compile.ts";
import { inOrder, type Place } from "../../diagnostics/problem.ts";
import { bytesOf, sourceOf } from "../../diagnostics/source.ts";
import { docsOf, type Finding } from "./finding.ts";
import { unusedIgnore } from "./ignore-rules.ts";
import { complain, type Ignore, ignoresIn } from "./ignores.ts";
import { rules } from "./registry.ts";
import { weighing } from "./rule-kit/patterns.ts";
import type { Rule, Spotted, Subject } from "./rule-kit/rule.ts";

export interface Audit {
  /** In the order of their places. */
  readonly findings: readonly Finding[];
  readonly ignored: readonly Ignored[];
}

/** What a comment says is right as it is. */
export interface Ignored {
  readonly finding: Finding;
  readonly until: string;
  readonly reason: string;
}

interface Asked {
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** All environments and all manifests are there, so that an ignore that is not used is of no use. */
  readonly isWhole: boolean;
}

/** @param compiled the same project, once for each environment */
export const audit = (compiled: readonly Compiled[], { root, now, isWhole }: Asked): Audit => {
  const subjects = subjectsOf(compiled, root, now);
  const files = new Map(subjects.flatMap((it) => it.files.map((source) => [source.file, source] as const)));
  const ids = rules.map(({ id }) => id);
  const read = [...files.values()].map((source) => ignoresIn(source, ids, now));
  const names = compiled.map(({ environment }) => environment.name);
  const found = merged(subjects, names);
  const ignores = read.flatMap(({ valid }) => valid);
  const atLine = Map.groupBy(ignores, ({ place, line }) => lineOf({ file: place.file, line }));
  const ignored = found.flatMap((finding) => ignoredBy(finding, atLine.get(lineOf(finding)) ?? []));
  const silent = new Set(ignored.map(({ finding }) => finding));
  const needed = new Set(ignored.map(({ finding }) => neededAt(finding, finding.code)));
  const findings = [
    ...found.filter((it) => !silent.has(it)),
    ...read.flatMap((it) => it.findings),
    ...(isWhole ? ignores.flatMap((it) => unused(it, needed)) : []),
  ];
  return { findings: inOrder(findings), ignored };
};

const subjectsOf = (compiled: readonly Compiled[], root: string, now: number): Subject[] => {
  const weigh = weighing();
  return compiled.flatMap(({ tiers, environment }) => {
    const own = sourceOf(environment.file, bytesOf(root, environment.file));
    return tiers.map(({ checked: tier }): Subject => {
      const files = [tier.source, ...(tier.preset ? [tier.preset.source] : []), own];
      return { tier, environment, files, now, weigh };
    });
  });
};

/** What is found at one place is told once, with the environments that have it where not all do. */
const merged = (subjects: readonly Subject[], names: readonly string[]): Finding[] => {
  const found = new Map<string, { readonly finding: Finding; readonly environments: Set<string> }>();
  for (const subject of subjects)
    for (const rule of rules)
      for (const spotted of rule.check(subject)) {
        const finding = findingOf(rule, spotted);
        const key = JSON.stringify([finding.file, finding.line, finding.column, finding.code]);
        const known = found.get(key) ?? { finding, environments: new Set() };
        found.set(key, known);
        known.environments.add(subject.environment.name);
      }
  return [...found.values()].map(({ finding, environments }) => {
    if (environments.size === names.length) return finding;
    const some = names.filter((it) => environments.has(it));
    return { ...finding, message: `${finding.message} (in ${some.join(" and ")})`, environments: some };
  });
};

export const findingOf = ({ id, severity }: Rule, { source, at, key, fix, related, ...it }: Spotted): Finding => ({
  ...source.related(at, it.message, key),
  code: id,
  severity,
  remedy: it.remedy,
  ...(related && related.length > 0 && { related }),
  docs: docsOf(id),
  environments: [],
  ...(fix && { fix }),
});

const lineOf = ({ file, line }: Pick<Place, "file" | "line">): string => `${file}:${line}`;
const neededAt = (place: Pick<Place, "file" | "line">, rule: string): string => `${lineOf(place)} ${rule}`;

const ignoredBy = (finding: Finding, ignores: readonly Ignore[]): Ignored[] => {
  const by = ignores.find((it) => it.rules.includes(finding.code));
  return by ? [{ finding, until: by.until, reason: by.reason }] : [];
};

/** @param needed lines and rules that are ignored there */
const unused = ({ place, line, rules: ids, range }: Ignore, needed: ReadonlySet<string>): Finding[] => {
  const idle = ids.filter((id) => !needed.has(neededAt({ file: place.file, line }, id)));
  return idle.map((id) => ({
    ...complain(unusedIgnore, place, `${id} finds nothing here`, "remove it"),
    ...(idle.length === ids.length && {
      fix: { says: `an ignore of ${ids.join(" and ")} is removed`, change: { kind: "cut" as const, range } },
    }),
  }));
};
