/** Writes down what an account says for the routers: the deployments, and where their versions and objects are. */
import { type Account, liveVersions, objectOwner, type Worker } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import type { RoutingState, VersionLocation } from "../machine/routing-state.ts";

/**
 * @param locationOf where a version runs
 * @param homes machines that own the objects of a Worker
 * @param moving Workers whose objects are about to have another owner
 */
export const buildRoutingState = (
  account: Account,
  locationOf: (version: string) => VersionLocation | undefined,
  homes: ReadonlyMap<string, Machine>,
  moving: ReadonlySet<string>,
): Pick<RoutingState, "live" | "places" | "homes" | "moving"> => {
  const workers = [...account.workers.values()];
  const places = deployedVersions(account).flatMap(({ version: { id } }) => {
    const location = locationOf(id);
    return location ? [[id, location] as const] : [];
  });
  return {
    live: Object.fromEntries(workers.map((it) => [it.name, sharesOf(it)])),
    places: Object.fromEntries(places),
    homes: Object.fromEntries(
      [...homes].map(([worker, it]) => [worker, [...it.places.values()][0] as VersionLocation]),
    ),
    // An owner that does not run yet is about to.
    moving: workers
      .filter((it) => moving.has(it.name) || (objectOwner(it) && !homes.has(it.name)))
      .map((it) => it.name),
  };
};

/** All versions that some deployment names. */
export const deployedVersions = (account: Account): WorkerVersion[] =>
  [...account.workers.values()].flatMap((worker) => liveVersions(worker).map((version) => ({ worker, version })));

const sharesOf = (worker: Worker) =>
  (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }) => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
