/** Gates that the front reached before and reaches no more: their tier, or their isolation, has gone. */
import type { Emitted } from "../compiler/emit/emit.ts";
import { releasesOf, servicesOf } from "./releases.ts";
import type { Target } from "./target.ts";
import { wrangler } from "./wrangler.ts";

/** As many of the front's last versions are asked which gates they reached. */
const maxFrontVersions = 5;

/** Workers that some recent version of the front is bound to, that this one is not, and that are still there. */
export const findLeftovers = async (target: Target, front: Emitted): Promise<string[]> => {
  const releases = await releasesOf(target, front.worker);
  const deployed = (releases?.deployments ?? []).flatMap(({ versions }) =>
    versions.map(({ version_id }) => version_id),
  );
  const recent = [...new Set(deployed)].slice(0, maxFrontVersions);
  const bound = await Promise.all(recent.map((version) => servicesOf(target, front.worker, version)));
  const gone = [...new Set(bound.flat())].filter((it) => !front.uses.includes(it)).sort();
  const releasesOfGone = await Promise.all(gone.map((worker) => releasesOf(target, worker)));
  return gone.filter((_, index) => releasesOfGone[index] !== undefined);
};

/** Not to be undone, and an older version of the front would miss them. */
export const removeWorkers = async (target: Target, workers: readonly string[]): Promise<void> => {
  for (const worker of workers) await wrangler(target, ["delete", "--name", worker, "--force"]);
};
