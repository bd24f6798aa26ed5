/** What one version of a project does in an environment that another does not. Nothing if, and only if, all that runs is the same, and no secret is written anew. */
import { isDeepStrictEqual } from "node:util";
import { byRisk, changeKinds, riskOf } from "../core/risks.ts";
import { list, plain } from "../core/sentence.ts";
import { changesOf } from "./changes.ts";
import type { Change } from "./grade/change.ts";
import { tierPairs } from "./picture/pairs.ts";
import type { Picture, TierPicture } from "./picture/model.ts";
import { secretsWritten, withoutSecrets } from "./secrets.ts";
import { type WorkerChange, workersDiffer } from "./workers.ts";

export interface Diff {
  /** The riskiest first, then by tier. */
  readonly changes: readonly Change[];
  readonly workers: readonly WorkerChange[];
}

export const diffOf = (before: Picture, after: Picture): Diff => {
  const workers = workersDiffer(before, after);
  const told = changesOf(before, after, workers.length > 0);
  const changes = [...told, ...untold(before, after, told)];
  const silent: Change[] =
    changes.length === 0 && workers.length > 0
      ? [other(null, ["the configuration of ", ...list(workers.map((it) => it.worker)), " is another one"])]
      : [];
  const all = withoutSecrets([...changes, ...silent, ...secretsWritten(before, after)], before, after);
  return { changes: inOrder(merged(all)), workers };
};

/** A difference that nothing has words for is told as one. */
const untold = (before: Picture, after: Picture, told: readonly Change[]): Change[] => {
  const known = new Set(told.map(({ tier }) => tier));
  return tierPairs(before, after)
    .both.filter(([a, b]) => !known.has(b.name) && !isDeepStrictEqual(runs(a), runs(b)))
    .map(([, b]) => other(b.name, ["its plan is another one"]));
};

const other = (tier: string | null, says: Change["says"]): Change => ({ kind: "other", tier, routes: [], says });

/** All of a tier that anything goes by. */
const runs = ({ plan, facts, secrets, checked: { manifest } }: TierPicture): unknown => {
  const { entry, isolation, limits } = manifest;
  return [plan, facts, secrets, entry, isolation, limits];
};

/** What is said alike of several routes is said once. */
const merged = (changes: readonly Change[]): Change[] => {
  const groups = Map.groupBy(changes, ({ kind, tier, says, routes }) =>
    JSON.stringify([kind, tier, plain(says), routes.length > 0]),
  );
  return [...groups.values()].map((all) => {
    const [first] = all as [Change];
    return { ...first, routes: [...new Set(all.flatMap(({ routes }) => routes))].sort() };
  });
};

/** The riskiest first, then by tier and route. */
export const inOrder = <T extends Change>(changes: readonly T[]): T[] =>
  changes.toSorted(
    (a, b) =>
      byRisk(riskOf(b.kind), riskOf(a.kind)) ||
      compare(a.tier ?? "", b.tier ?? "") ||
      kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
      compare(a.routes[0] ?? "", b.routes[0] ?? "") ||
      compare(plain(a.says), plain(b.says)),
  );

const kinds = Object.keys(changeKinds);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
