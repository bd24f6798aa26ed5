/** Builds the routing state of an account: its deployments, and where their versions and objects run. */
import { type Account, liveVersions, objectOwner, type Worker } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import type { RoutingState, VersionLocation } from "../machine/routing-state.ts";

/**
 * @param locationOf where a version runs
 * @param objectOwners machines that own the objects of a Worker
 * @param moving Workers whose objects are about to change their owner
 */
export const buildRoutingState = (
  account: Account,
  locationOf: (version: string) => VersionLocation | undefined,
  objectOwners: ReadonlyMap<string, Machine>,
  moving: ReadonlySet<string>,
): Pick<RoutingState, "live" | "locations" | "objectOwners" | "moving"> => {
  const workers = [...account.workers.values()];
  const locations = deployedVersions(account).flatMap(({ version: { id } }) => {
    const location = locationOf(id);
    return location ? [[id, location] as const] : [];
  });
  return {
    live: Object.fromEntries(workers.map((it) => [it.name, sharesOf(it)])),
    locations: Object.fromEntries(locations),
    objectOwners: Object.fromEntries(
      [...objectOwners].map(([worker, it]) => [worker, [...it.locations.values()][0] as VersionLocation]),
    ),
    // An owner that does not run yet is starting.
    moving: workers
      .filter((it) => moving.has(it.name) || (objectOwner(it) && !objectOwners.has(it.name)))
      .map((it) => it.name),
  };
};

/** The versions of all current deployments. */
export const deployedVersions = (account: Account): WorkerVersion[] =>
  [...account.workers.values()].flatMap((worker) => liveVersions(worker).map((version) => ({ worker, version })));

const sharesOf = (worker: Worker) =>
  (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }) => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
