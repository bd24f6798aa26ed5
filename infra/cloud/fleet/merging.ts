/**
 * Which versions share a machine. Each upload starts a machine of its own, so there would be one for each Worker; small
 * machines become one, and none holds more than `mostHeld`: what Miniflare does to start one grows with the square of that.
 */
import { type Account, latestVersion, liveVersions } from "../account/account.ts";
import { type Machine, VersionStartupError } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";

/** Of versions in a machine. */
export const maxVersionsPerMachine = 24;
/** With more machines than this that are not half full, some are merged. */
const maxSmallMachines = 6;

type Sized = Pick<Machine, "places">;

/**
 * The smallest ones, each no larger than those before it together: a Worker is then started again only when the machine that
 * it is in doubles, which is a few times whatever the number of Workers.
 * @returns none where there are not too many
 */
export const machinesToMerge = <M extends Sized>(account: Account, machines: readonly M[]): readonly M[] => {
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

/** The versions in these machines that requests can still reach: live ones, and the newest of each Worker. */
export const reachableVersions = (account: Account, machines: readonly Sized[]): WorkerVersion[] =>
  [...account.workers.values()].flatMap((worker) =>
    [...new Set([...liveVersions(worker), latestVersion(worker)])]
      .filter(({ id }) => machines.some(({ places }) => places.has(id)))
      .map((version) => ({ worker, version })),
  );

/** As many for each machine as it may hold. */
export const groupForMachines = (versions: readonly WorkerVersion[]): (readonly WorkerVersion[])[] =>
  Array.from({ length: Math.ceil(versions.length / maxVersionsPerMachine) }, (_, index) =>
    versions.slice(index * maxVersionsPerMachine, (index + 1) * maxVersionsPerMachine),
  );

/**
 * Tries all of them, a machine's worth at a time.
 * @throws StartupError with the reason of each that threw
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
