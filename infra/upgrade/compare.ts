/** Compares what two versions of Postern make of a project. */
import { isDeepStrictEqual } from "node:util";
import type { BuiltWorker, FoundProblem, Snapshot } from "./snapshot.ts";

export interface UpgradedWorker {
  readonly worker: string;
  readonly kind: string;
  readonly change: "added" | "removed" | "changed" | "unchanged";
  /** Keys of the plan that differ, such as `routes.list.path`; at most `maxKeys`. */
  readonly plan: readonly string[];
  /** Keys of the wrangler configuration that differ. */
  readonly configuration: readonly string[];
  /** Whether the code differs, with nothing else. */
  readonly bytes: { readonly before: number; readonly after: number };
}

export interface EnvironmentUpgrade {
  readonly environment: string;
  readonly workers: readonly UpgradedWorker[];
  /** Problems that only the new version reports. */
  readonly problems: readonly FoundProblem[];
  /** The number of problems that both report. What is broken is built by neither, and so not compared. */
  readonly brokenAlready: number;
}

const maxKeys = 20;

export const compareSnapshots = (environment: string, before: Snapshot, after: Snapshot): EnvironmentUpgrade => {
  const names = [...new Set([...Object.keys(before.workers), ...Object.keys(after.workers)])].sort();
  const known = new Set(before.problems.map(keyOf));
  const problems = after.problems.filter((it) => !known.has(keyOf(it)));
  return {
    environment,
    workers: names.flatMap((worker) => compareWorkers(worker, before.workers[worker], after.workers[worker]) ?? []),
    problems,
    brokenAlready: after.problems.length - problems.length,
  };
};

/** Without its words, which a new version may choose better. */
const keyOf = ({ code, file, line }: FoundProblem): string => `${code} ${file}:${line}`;

const compareWorkers = (
  worker: string,
  before: BuiltWorker | undefined,
  after: BuiltWorker | undefined,
): UpgradedWorker | undefined => {
  const kind = (after ?? before)?.kind;
  if (kind === undefined) return undefined;
  const bytes = { before: before?.bytes ?? 0, after: after?.bytes ?? 0 };
  if (!before || !after)
    return { worker, kind, change: before ? "removed" : "added", plan: [], configuration: [], bytes };
  return {
    worker,
    kind,
    change: before.digest === after.digest ? "unchanged" : "changed",
    plan: differentKeys(before.plan, after.plan),
    configuration: differentKeys(before.configuration, after.configuration),
    bytes,
  };
};

/** The paths of all values that differ, up to a bound. */
export const differentKeys = (before: unknown, after: unknown): string[] => {
  const found: string[] = [];
  const visit = (a: unknown, b: unknown, at: readonly string[]): void => {
    if (found.length >= maxKeys || isDeepStrictEqual(a, b)) return;
    if (!isObject(a) || !isObject(b)) {
      found.push(at.join("."));
      return;
    }
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) visit(a[key], b[key], [...at, key]);
  };
  visit(before, after, []);
  return found;
};

/** A list differs as a whole where its length does, and else by its items. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
