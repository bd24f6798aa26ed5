/**
 * Decides which versions share a machine. Each upload starts a machine of its own. Small machines are merged, and none runs
 * more than `maxVersionsPerMachine`: the time that Miniflare takes to start one grows with the square of that.
 */
import { type Account, latestVersion, liveVersions } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import { VersionStartupError } from "../machine/startup-error.ts";

export const maxVersionsPerMachine = 24;
/** With more machines than this that are less than half full, some are merged. */
const maxSmallMachines = 6;

type HasLocations = Pick<Machine, "locations">;

/**
 * The smallest machines, each no larger than those before it together. So a Worker restarts only when its machine doubles,
 * which is a few times whatever the number of Workers.
 * @returns none if there are not too many
 */
export const machinesToMerge = <M extends HasLocations>(account: Account, machines: readonly M[]): readonly M[] => {
  const small = machines
    .map((machine) => ({ machine, size: reachableVersions(account, [machine]).length }))
    .filter(({ size }) => size <= maxVersionsPerMachine / 2)
    .toSorted((a, b) => a.size - b.size);
  if (small.length <= maxSmallMachines) return [];
  let sum = 0;
  let count = 0;
  for (const { size } of small) {
    if (sum + size > maxVersionsPerMachine || (count >= 2 && size > sum)) break;
    sum += size;
    count++;
  }
  return small.slice(0, count).map(({ machine }) => machine);
};

/** The versions in these machines that requests can still reach: deployed ones, and the newest of each Worker. */
export const reachableVersions = (account: Account, machines: readonly HasLocations[]): WorkerVersion[] =>
  [...account.workers.values()].flatMap((worker) =>
    [...new Set([...liveVersions(worker), latestVersion(worker)])]
      .filter(({ id }) => machines.some(({ locations }) => locations.has(id)))
      .map((version) => ({ worker, version })),
  );

/** Groups of versions, each for one machine. */
export const groupForMachines = (versions: readonly WorkerVersion[]): (readonly WorkerVersion[])[] =>
  Array.from({ length: Math.ceil(versions.length / maxVersionsPerMachine) }, (_, index) =>
    versions.slice(index * maxVersionsPerMachine, (index + 1) * maxVersionsPerMachine),
  );

/**
 * Starts all versions, a group at a time.
 * @throws VersionStartupError with the reasons of all versions that threw
 */
export const startInGroups = async (
  versions: readonly WorkerVersion[],
  start: (group: readonly WorkerVersion[]) => Promise<unknown>,
): Promise<void> => {
  const reasons = new Map<string, string>();
  for (const group of groupForMachines(versions))
    await start(group).catch((error) => {
      if (!(error instanceof VersionStartupError)) throw error;
      for (const it of error.reasons) reasons.set(...it);
    });
  if (reasons.size > 0) throw new VersionStartupError(reasons);
};
