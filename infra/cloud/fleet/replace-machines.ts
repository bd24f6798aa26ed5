/** How machines take each other's place: missing ones are started, unused ones drained, and many small ones become one. */
import type { Account } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import { VersionStartupError } from "../machine/startup-error.ts";
import { deployedVersions } from "./build-routing-state.ts";
import type { MachinePool } from "./machine-pool.ts";
import { groupForMachines, reachableVersions, startInGroups } from "./merging.ts";

export const startVersions = (pool: MachinePool, account: Account, versions: readonly WorkerVersion[]): Promise<void> =>
  startInGroups(
    versions.filter(({ version }) => !pool.machineOf(version.id)),
    (group) => pool.start(account, group, pool.add),
  );

/** Starts the deployed versions that do not run. A version that throws at start is reported and left out. */
export const startMissing = async (
  pool: MachinePool,
  account: Account,
  report: (line: string) => void,
): Promise<void> => {
  const failed = new Set<string>();
  for (;;) {
    const deployed = deployedVersions(account).filter(({ version: { id } }) => !failed.has(id));
    try {
      return await startVersions(pool, account, deployed);
    } catch (error) {
      if (!(error instanceof VersionStartupError)) throw error;
      for (const { worker, version } of deployed) {
        const reason = error.reasons.get(version.id);
        if (reason === undefined) continue;
        failed.add(version.id);
        report(`${worker.name} ${version.id.slice(0, 8)} threw at start: ${reason}`);
      }
    }
  }
};

/** Retires machines of which no version is deployed or the newest of its Worker. */
export const retireUnused = (pool: MachinePool, account: Account): void => {
  const reachable = new Set(deployedVersions(account).map(({ version }) => version.id));
  for (const { versions } of account.workers.values()) for (const { id } of versions.slice(-1)) reachable.add(id);
  const unused = pool.serving().filter(({ locations }) => [...locations.keys()].every((id) => !reachable.has(id)));
  pool.remove(unused);
  pool.retire(unused);
};

/**
 * Puts fresh machines in the place of these.
 * @param latest the account when the fresh ones are ready
 */
export const replaceMachines = async (
  pool: MachinePool,
  before: readonly Machine[],
  account: Account,
  latest: () => Account,
): Promise<void> => {
  const fresh: Machine[] = [];
  const register = (machine: Machine) => {
    fresh.push(machine);
    pool.addFirst(machine);
  };
  // Where a start fails, what was started for nothing goes again.
  let replaced: readonly Machine[] = fresh;
  try {
    for (const group of groupForMachines(reachableVersions(account, before)))
      await pool.start(account, group, register);
    const needed = deployedVersions(latest()).filter(
      ({ version }) => !fresh.some(({ locations }) => locations.has(version.id)),
    );
    // A machine that has ended meanwhile is gone already, and one whose version went live meanwhile stays.
    replaced = before.filter(
      (it) => pool.serving().includes(it) && !needed.some(({ version }) => it.locations.has(version.id)),
    );
  } finally {
    pool.remove(replaced);
    await pool.broadcast(latest());
    pool.retire(replaced);
  }
};
