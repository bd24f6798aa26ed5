/**
 * The machines that run an account. A new version gets a machine beside the others, and routers take new percentages without a
 * restart. A machine that no deployment names any more goes when the last request that could reach it has ended. Small machines
 * are merged.
 */
import { type Account, emptyAccount } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import { type LauncherOptions, openLauncher } from "./launcher.ts";
import { type MachinePool, openMachinePool, type PoolOptions } from "./machine-pool.ts";
import { machinesToMerge } from "./merging.ts";
import { replaceMachines, retireUnused, startMissing, startVersions } from "./replace-machines.ts";

export type FleetOptions = LauncherOptions & PoolOptions;

export interface Fleet {
  /**
   * Starts versions beside all others. No request reaches them yet.
   * @param account as it will be once they are recorded
   * @throws VersionStartupError if one throws
   */
  readonly startVersions: (account: Account, versions: readonly WorkerVersion[]) => Promise<void>;
  /** Makes the machines run this account. Resolves when every router knows it. */
  readonly follow: (account: Account) => Promise<void>;
  /** Base URLs of a version's isolates. A version that does not run is started. */
  readonly urlsOf: (account: Account, target: WorkerVersion) => Promise<readonly string[]>;
  /** Whether a machine ended without being closed. */
  readonly hasFailedMachines: () => Promise<boolean>;
  /** Replaces machines that have ended. */
  readonly recover: (account: Account) => Promise<void>;
  /** Replaces all machines and owners by fresh ones. */
  readonly evict: (account: Account) => Promise<void>;
  /** The runtime's KV, in its own protocol. */
  readonly kv: Machine["kv"];
  readonly size: () => { readonly machines: number; readonly draining: number };
  readonly close: () => Promise<void>;
}

export const openFleet = async (options: FleetOptions): Promise<Fleet> => {
  const launcher = await openLauncher(options);
  const pool = openMachinePool(options, launcher);
  let current: Account = emptyAccount;
  let merging: Promise<void> | undefined;

  const merge = (machines: readonly Machine[]): Promise<void> =>
    replaceMachines(pool, machines, current, () => current)
      .catch((error) => {
        if (!launcher.isClosing()) options.report(`machines were not merged: ${(error as Error).message}`);
      })
      .finally(() => {
        merging = undefined;
      });
  const follow = async (account: Account): Promise<void> => {
    current = account;
    await startMissing(pool, account, options.report);
    await pool.owners.follow(account);
    await pool.broadcast(account);
    retireUnused(pool, account);
    const small = machinesToMerge(account, pool.serving());
    if (small.length > 0) merging ??= merge(small);
  };

  return {
    startVersions: (account, versions) => startVersions(pool, account, versions),
    follow,
    urlsOf: openVersionStarts(pool),
    hasFailedMachines: async () => (await findDead(pool)).length > 0,
    recover: async (account) => {
      const dead = await findDead(pool);
      if (dead.length === 0) return;
      for (const { id } of dead)
        options.report(`machine ${id} has ended; its Workers and objects start on another machine`);
      pool.remove(dead);
      for (const [worker, owner] of pool.owners.byWorker) if (dead.includes(owner)) pool.owners.byWorker.delete(worker);
      await Promise.all(dead.map((it) => it.dispose().catch(() => {})));
      if (dead.includes(launcher.storage())) await launcher.replaceStorage();
      await follow(account);
    },
    evict: async (account) => {
      await replaceMachines(pool, [...pool.serving()], account, () => current);
      await pool.owners.replaceAll(account);
    },
    kv: (...args) => launcher.storage().kv(...args),
    size: () => ({
      machines: pool.serving().length + pool.owners.byWorker.size,
      draining: pool.draining().length,
    }),
    close: async () => {
      await Promise.allSettled([launcher.close(), merging]);
      await pool.close();
    },
  };
};

/** Finds where a version takes requests. Of all requests that meet a version that does not run, only the first starts it. */
const openVersionStarts = (pool: MachinePool): Fleet["urlsOf"] => {
  const starts = new Map<string, Promise<Machine>>();
  return async (account, target) => {
    const { id } = target.version;
    const running = pool.machineOf(id);
    if (running) return running.urls.get(id) ?? [];
    const started = starts.get(id) ?? pool.start(account, [target], pool.add).finally(() => starts.delete(id));
    starts.set(id, started);
    return (await started).urls.get(id) ?? [];
  };
};

const findDead = async (pool: MachinePool): Promise<readonly Machine[]> => {
  const machines = pool.all();
  const alive = await Promise.all(
    machines.map((it) =>
      it.checkAlive().then(
        () => true,
        () => false,
      ),
    ),
  );
  return machines.filter((_, index) => !alive[index]);
};
