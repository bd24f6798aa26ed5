/** Finds and removes gates that the front no longer reaches, such as those of a removed tier. */
import type { Emitted } from "../compiler/emit/emit.ts";
import { releasesOf, servicesOf } from "./releases.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

/** Recent versions of the front whose bindings are read. */
const maxFrontVersions = 5;

/** Existing Workers that a recent version of the front is bound to and the new one is not. */
export const findLeftovers = async (target: Target, front: Emitted): Promise<string[]> => {
  const releases = await releasesOf(target, front.worker);
  const deployed = (releases?.deployments ?? []).flatMap(({ versions }) =>
    versions.map(({ version_id }) => version_id),
  );
  const recent = [...new Set(deployed)].slice(0, maxFrontVersions);
  const bound = await Promise.all(recent.map((version) => servicesOf(target, front.worker, version)));
  const unused = [...new Set(bound.flat())].filter((it) => !front.uses.includes(it)).sort();
  const releasesOfGone = await Promise.all(unused.map((worker) => releasesOf(target, worker)));
  return unused.filter((_, index) => releasesOfGone[index] !== undefined);
};

/** Deletes Workers. Irreversible; an older version of the front would miss them. */
export const removeWorkers = async (target: Target, workers: readonly string[]): Promise<void> => {
  for (const worker of workers) await wrangler(target, ["delete", "--name", worker, "--force"]);
};
