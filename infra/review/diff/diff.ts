/** Compares two models of one environment. The diff is empty if and only if everything that runs is equal and no new secret is written. */
import { isDeepStrictEqual } from "node:util";
import { changeKinds, compareRisk, riskOf } from "../core/risks.ts";
import { plainText, quotedList } from "../core/sentence.ts";
import { listChanges } from "./changes.ts";
import type { Change } from "./grade/change.ts";
import type { EnvironmentModel, TierModel } from "./picture/model.ts";
import { pairTiers } from "./picture/pairs.ts";
import { maskSecretValues, newSecrets } from "./secrets.ts";
import { compareWorkers, type WorkerChange } from "./workers.ts";

export interface Diff {
  /** Sorted by risk, then by tier. */
  readonly changes: readonly Change[];
  readonly workers: readonly WorkerChange[];
}

export const diffModels = (before: EnvironmentModel, after: EnvironmentModel): Diff => {
  const workers = compareWorkers(before, after);
  const reported = listChanges(before, after, workers.length > 0);
  const changes = [...reported, ...unreportedChanges(before, after, reported)];
  const workerOnlyChange: Change[] =
    changes.length === 0 && workers.length > 0
      ? [otherChange(null, ["the configuration of ", ...quotedList(workers.map((it) => it.worker)), " changes"])]
      : [];
  const all = maskSecretValues([...changes, ...workerOnlyChange, ...newSecrets(before, after)], before, after);
  return { changes: sortChanges(mergeRoutes(all)), workers };
};

/** Reports tiers that differ without any other reported change. */
const unreportedChanges = (
  before: EnvironmentModel,
  after: EnvironmentModel,
  reported: readonly Change[],
): Change[] => {
  const known = new Set(reported.map(({ tier }) => tier));
  return pairTiers(before, after)
    .matched.filter(([a, b]) => !known.has(b.name) && !isDeepStrictEqual(runtimeState(a), runtimeState(b)))
    .map(([, b]) => otherChange(b.name, ["its plan changes"]));
};

const otherChange = (tier: string | null, message: Change["message"]): Change => ({
  kind: "other",
  tier,
  routes: [],
  message,
});

/** Everything of a tier that affects a running system. */
const runtimeState = ({ plan, facts, secrets, checked: { manifest } }: TierModel): unknown => {
  const { entry, isolation, limits } = manifest;
  return [plan, facts, secrets, entry, isolation, limits];
};

/** Merges equal changes of several routes. */
const mergeRoutes = (changes: readonly Change[]): Change[] => {
  const groups = Map.groupBy(changes, ({ kind, tier, message, routes }) =>
    JSON.stringify([kind, tier, plainText(message), routes.length > 0]),
  );
  return [...groups.values()].map((all) => {
    const [first] = all as [Change];
    return { ...first, routes: [...new Set(all.flatMap(({ routes }) => routes))].sort() };
  });
};

/** Sorts by risk, then by tier and route. */
export const sortChanges = <T extends Change>(changes: readonly T[]): T[] =>
  changes.toSorted(
    (a, b) =>
      compareRisk(riskOf(b.kind), riskOf(a.kind)) ||
      compare(a.tier ?? "", b.tier ?? "") ||
      kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) ||
      compare(a.routes[0] ?? "", b.routes[0] ?? "") ||
      compare(plainText(a.message), plainText(b.message)),
  );

const kindOrder = Object.keys(changeKinds);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
