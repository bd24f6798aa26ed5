/** Compares two versions of a project in every environment. A change that all environments have is reported once. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { environmentNames } from "../compiler/check/shared-files.ts";
import { type Problem, sortDiagnostics as problemsInOrder } from "../diagnostics/problem.ts";
import { copyWithin, FileError, listFilesWithin, readTextWithin } from "../project/files.ts";
import { highestRisk, type Risk, riskOf } from "./core/risks.ts";
import { plainText, sentence } from "./core/sentence.ts";
import { type Diff, diffModels, sortChanges } from "./diff/diff.ts";
import type { Change } from "./diff/grade/change.ts";
import { type EnvironmentModel, loadModel, type TierModel } from "./diff/picture/model.ts";
import type { WorkerChange } from "./diff/workers.ts";

export interface ReportedChange extends Change {
  readonly risk: Risk;
  /** Environments with the change; empty if all that both versions have. */
  readonly environments: readonly string[];
}

export interface ReportedTier {
  readonly name: string;
  readonly level: string;
  readonly owner: string | null;
  readonly routes: number;
}

export interface ReportedWorker extends WorkerChange {
  /** Environments with the change; empty if all that both versions have. */
  readonly environments: readonly string[];
}

export interface Comparison {
  /** The highest risk; undefined without changes. */
  readonly risk: Risk | undefined;
  readonly environments: readonly string[];
  readonly changes: readonly ReportedChange[];
  readonly workers: readonly ReportedWorker[];
  /** The tiers that change, as they are now; removed ones as they were. */
  readonly tiers: readonly ReportedTier[];
  /** The number of tiers in both versions together. */
  readonly tierCount: number;
  /** Files of `routes/` whose text differs. */
  readonly files: readonly string[];
  /** Problems of the version after. With problems, no changes are reported. */
  readonly problems: readonly Problem[];
  /** Invalid manifests of the version before, whose content therefore looks new. */
  readonly brokenBefore: readonly string[];
  /** Manifests of the version after, and the invalid ones. */
  readonly read: number;
  readonly broken: readonly string[];
}

/** @param onlyEnvironment this environment */
export const compareProjects = (before: string, after: string, onlyEnvironment?: string): Comparison => {
  if (environmentNames(before).length > 0 || environmentNames(after).length === 0)
    return compareIn(before, before, after, onlyEnvironment);
  // If there was no project before, everything is new.
  const emptyProject = fs.mkdtempSync(path.join(os.tmpdir(), "postern-nothing-"));
  try {
    copyWithin(after, "routes/environments", emptyProject);
    return compareIn(before, emptyProject, after, onlyEnvironment);
  } finally {
    fs.rmSync(emptyProject, { recursive: true, force: true });
  }
};

/** @param base the folder to compare with: the version before, or an empty project */
const compareIn = (before: string, base: string, after: string, onlyEnvironment: string | undefined): Comparison => {
  const [environmentsBefore, a, b] = [before, base, after].map(environmentNames) as [string[], string[], string[]];
  const selected = (names: readonly string[]) =>
    names.filter((it) => onlyEnvironment === undefined || it === onlyEnvironment);
  const environments = selected(b.filter((it) => a.includes(it)));
  const environmentChanges = [
    ...selected(b.filter((it) => !environmentsBefore.includes(it))).map((it) =>
      environmentChange("environment-added", it),
    ),
    ...selected(a.filter((it) => !b.includes(it))).map((it) => environmentChange("environment-removed", it)),
  ];
  if (onlyEnvironment !== undefined && environments.length + environmentChanges.length === 0)
    throw new Error(
      `neither version has the environment "${onlyEnvironment}"; there are ${[...new Set([...a, ...b])].join(", ")}`,
    );
  const diffs = environments.map((name) => {
    const models = { before: loadModel(base, name), after: loadModel(after, name) };
    return { name, ...models, diff: diffModels(models.before, models.after) };
  });
  const compiledAfter = diffs.map((it) => it.after.compiled);
  const problems = problemsInOrder(compiledAfter.flatMap((it) => it.problems));
  // With problems, broken tiers would look removed.
  const reported = problems.length > 0 ? [] : sortChanges([...environmentChanges, ...mergeChanges(diffs)]);
  const changes = reported.map((it): ReportedChange => ({ ...it, risk: riskOf(it.kind) }));
  return {
    risk: highestRisk(changes.map((it) => it.risk)),
    environments,
    changes,
    workers: problems.length > 0 ? [] : mergeWorkers(diffs),
    tiers: changedTiers(changes, diffs),
    tierCount: new Set(diffs.flatMap(({ before, after }) => [...before.tiers.keys(), ...after.tiers.keys()])).size,
    files: changedFiles(before, after),
    problems,
    brokenBefore: [...new Set(diffs.flatMap((it) => it.before.compiled.problems.map(({ file }) => file)))],
    read: Math.max(0, ...compiledAfter.map((it) => it.read)),
    broken: [...new Set(compiledAfter.flatMap((it) => it.brokenFiles))],
  };
};

type EnvironmentChange = Change & { readonly environments: readonly string[] };

const environmentChange = (kind: "environment-added" | "environment-removed", name: string): EnvironmentChange => ({
  kind,
  tier: null,
  routes: [],
  message:
    kind === "environment-added"
      ? sentence`the environment ${name} is new`
      : sentence`the environment ${name} is removed`,
  environments: [],
  location: { file: `routes/environments/${name}.yaml` },
});

interface EnvironmentDiff {
  readonly name: string;
  readonly before: EnvironmentModel;
  readonly after: EnvironmentModel;
  readonly diff: Diff;
}

const mergeChanges = (diffs: readonly EnvironmentDiff[]): EnvironmentChange[] => {
  const found = diffs.flatMap(({ name, diff }) => diff.changes.map((change) => ({ name, change })));
  const groups = Map.groupBy(found, ({ change: { kind, tier, routes, message } }) =>
    JSON.stringify([kind, tier, routes, plainText(message)]),
  );
  return [...groups.values()].map((group): EnvironmentChange => {
    const [first] = group as [(typeof group)[number]];
    const names = group.map(({ name }) => name);
    return { ...first.change, environments: names.length === diffs.length ? [] : names };
  });
};

/** Merges Workers by name without the environment's suffix: `gate-wallet` is one gate in each environment. */
const mergeWorkers = (diffs: readonly EnvironmentDiff[]): ReportedWorker[] => {
  const found = diffs.flatMap(({ name, diff }) =>
    diff.workers.map((it) => ({ name, change: { ...it, worker: stripSuffix(it.worker, `-${name}`) } })),
  );
  const groups = Map.groupBy(found, ({ change: { worker, what } }) => JSON.stringify([worker, what]));
  return [...groups.values()].map((group): ReportedWorker => {
    const [first] = group as [(typeof group)[number]];
    const approved = group.some(({ change }) => change.approved);
    return {
      ...first.change,
      approved,
      environments: group.length === diffs.length ? [] : group.map(({ name }) => name),
    };
  });
};

const stripSuffix = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text);

const changedTiers = (changes: readonly Change[], diffs: readonly EnvironmentDiff[]): ReportedTier[] => {
  const names = [...new Set(changes.flatMap(({ tier }) => tier ?? []))].sort();
  return names.map((name) => {
    const found = diffs.flatMap(({ before, after }): TierModel[] => {
      const it = after.tiers.get(name) ?? before.tiers.get(name);
      return it ? [it] : [];
    })[0];
    const { level = "standard", owner = null } = found?.facts ?? {};
    return { name, level, owner, routes: found?.routes.size ?? 0 };
  });
};

const changedFiles = (before: string, after: string): string[] => {
  const files = [...new Set([...manifestTexts(before), ...manifestTexts(after)])].sort();
  return files.filter((file) => readText(before, file) !== readText(after, file));
};

const manifestTexts = (root: string): string[] =>
  listFilesWithin(root, "routes")
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => `routes/${file.replaceAll(path.sep, "/")}`);

/** A file's text; undefined for a file outside the project, which the check reports. */
const readText = (root: string, file: string): string | undefined => {
  try {
    return readTextWithin(root, file);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
};
