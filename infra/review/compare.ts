/** Two versions of a project, compared in every environment. What holds in all of them is told once. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { environmentNames } from "../compiler/check/shared-files.ts";
import { type Problem, inOrder as problemsInOrder } from "../diagnostics/problem.ts";
import { copyWithin, FileRefused, filesWithin, textWithin } from "../project/files.ts";
import { type Risk, riskOf, worst } from "./core/risks.ts";
import { plain, say } from "./core/sentence.ts";
import { type Diff, diffOf, inOrder } from "./diff/diff.ts";
import type { Change } from "./diff/grade/change.ts";
import { type Picture, pictureOf, type TierPicture } from "./diff/picture/model.ts";
import type { WorkerChange } from "./diff/workers.ts";

export interface ToldChange extends Change {
  readonly risk: Risk;
  /** Empty where it is so in all that both versions have. */
  readonly environments: readonly string[];
}

export interface ToldTier {
  readonly name: string;
  readonly level: string;
  readonly owner: string | null;
  readonly routes: number;
}

export interface ToldWorker extends WorkerChange {
  /** Empty where it is so in all that both versions have. */
  readonly environments: readonly string[];
}

export interface Comparison {
  /** Of all changes; undefined where there is none. */
  readonly risk: Risk | undefined;
  readonly environments: readonly string[];
  readonly changes: readonly ToldChange[];
  readonly workers: readonly ToldWorker[];
  /** Those that change, as they are now, or were. */
  readonly tiers: readonly ToldTier[];
  /** Of both versions. */
  readonly tierCount: number;
  /** Files of `routes/` whose text differs. */
  readonly files: readonly string[];
  /** Of the version after: what has to be mended before anything can be said of it. */
  readonly problems: readonly Problem[];
  /** Manifests of the version before that did not hold, and so seem to be new. */
  readonly brokenBefore: readonly string[];
  /** Of the version after: manifests, and those that do not hold. */
  readonly read: number;
  readonly broken: readonly string[];
}

/** @param only this environment */
export const compareProjects = (before: string, after: string, only?: string): Comparison => {
  if (environmentNames(before).length > 0 || environmentNames(after).length === 0)
    return compared(before, before, after, only);
  // Where there was no project, all of it is new, and is told as that.
  const nothing = fs.mkdtempSync(path.join(os.tmpdir(), "postern-nothing-"));
  try {
    copyWithin(after, "routes/environments", nothing);
    return compared(before, nothing, after, only);
  } finally {
    fs.rmSync(nothing, { recursive: true, force: true });
  }
};

/** @param base what the version before is taken for */
const compared = (before: string, base: string, after: string, only: string | undefined): Comparison => {
  const [known, a, b] = [before, base, after].map(environmentNames) as [string[], string[], string[]];
  const wanted = (names: readonly string[]) => names.filter((it) => only === undefined || it === only);
  const environments = wanted(b.filter((it) => a.includes(it)));
  const apart = [
    ...wanted(b.filter((it) => !known.includes(it))).map((it) => apartFrom("environment-added", it)),
    ...wanted(a.filter((it) => !b.includes(it))).map((it) => apartFrom("environment-removed", it)),
  ];
  if (only !== undefined && environments.length + apart.length === 0)
    throw new Error(
      `neither version has the environment "${only}"; there are ${[...new Set([...a, ...b])].join(", ")}`,
    );
  const all = environments.map((name) => {
    const pictures = { before: pictureOf(base, name), after: pictureOf(after, name) };
    return { name, ...pictures, diff: diffOf(pictures.before, pictures.after) };
  });
  const last = all.map((it) => it.after.compiled);
  const problems = problemsInOrder(last.flatMap((it) => it.problems));
  // What does not hold is mended first: its tiers would only seem to be gone.
  const told = problems.length > 0 ? [] : inOrder([...apart, ...together(all)]);
  const changes = told.map((it): ToldChange => ({ ...it, risk: riskOf(it.kind) }));
  return {
    risk: worst(changes.map((it) => it.risk)),
    environments,
    changes,
    workers: problems.length > 0 ? [] : workersIn(all),
    tiers: tiersIn(changes, all),
    tierCount: new Set(all.flatMap(({ before, after }) => [...before.tiers.keys(), ...after.tiers.keys()])).size,
    files: filesThatDiffer(before, after),
    problems,
    brokenBefore: [...new Set(all.flatMap((it) => it.before.compiled.problems.map(({ file }) => file)))],
    read: Math.max(0, ...last.map((it) => it.read)),
    broken: [...new Set(last.flatMap((it) => it.brokenFiles))],
  };
};

type Told = Change & { readonly environments: readonly string[] };

const apartFrom = (kind: "environment-added" | "environment-removed", name: string): Told => ({
  kind,
  tier: null,
  routes: [],
  says: kind === "environment-added" ? say`the environment ${name} is new` : say`the environment ${name} is gone`,
  environments: [],
  spot: { file: `routes/environments/${name}.yaml` },
});

interface One {
  readonly name: string;
  readonly before: Picture;
  readonly after: Picture;
  readonly diff: Diff;
}

const together = (all: readonly One[]): Told[] => {
  const found = all.flatMap(({ name, diff }) => diff.changes.map((change) => ({ name, change })));
  const groups = Map.groupBy(found, ({ change: { kind, tier, routes, says } }) =>
    JSON.stringify([kind, tier, routes, plain(says)]),
  );
  return [...groups.values()].map((some): Told => {
    const [first] = some as [(typeof some)[number]];
    const names = some.map(({ name }) => name);
    return { ...first.change, environments: names.length === all.length ? [] : names };
  });
};

/** By their names without the environment's: `gate-wallet` is one gate in each of them. */
const workersIn = (all: readonly One[]): ToldWorker[] => {
  const found = all.flatMap(({ name, diff }) =>
    diff.workers.map((it) => ({ name, change: { ...it, worker: withoutEnd(it.worker, `-${name}`) } })),
  );
  const groups = Map.groupBy(found, ({ change: { worker, what } }) => JSON.stringify([worker, what]));
  return [...groups.values()].map((some): ToldWorker => {
    const [first] = some as [(typeof some)[number]];
    const approved = some.some(({ change }) => change.approved);
    return { ...first.change, approved, environments: some.length === all.length ? [] : some.map(({ name }) => name) };
  });
};

const withoutEnd = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text);

const tiersIn = (changes: readonly Change[], all: readonly One[]): ToldTier[] => {
  const names = [...new Set(changes.flatMap(({ tier }) => tier ?? []))].sort();
  return names.map((name) => {
    const found = all.flatMap(({ before, after }): TierPicture[] => {
      const it = after.tiers.get(name) ?? before.tiers.get(name);
      return it ? [it] : [];
    })[0];
    const { level = "standard", owner = null } = found?.facts ?? {};
    return { name, level, owner, routes: found?.routes.size ?? 0 };
  });
};

const filesThatDiffer = (before: string, after: string): string[] => {
  const files = [...new Set([...filesOf(before), ...filesOf(after)])].sort();
  return files.filter((file) => textOf(before, file) !== textOf(after, file));
};

const filesOf = (root: string): string[] =>
  filesWithin(root, "routes")
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => `routes/${file.replaceAll(path.sep, "/")}`);

/** What is no file of the project is compared as if it were not there; its check complains of it. */
const textOf = (root: string, file: string): string | undefined => {
  try {
    return textWithin(root, file);
  } catch (error) {
    if (error instanceof FileRefused) return undefined;
    throw error;
  }
};
