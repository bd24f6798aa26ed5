/**
 * The machines that run an account. A new version gets a machine beside the others, and new percentages are told to the
 * routers; nothing that runs is restarted for either. What no deployment names any more goes when the last request that
 * could reach it has ended. Small machines are merged.
 */
import type { Account } from "../account/account.ts";
import { type Machine, type MachineOptions, startMachine, VersionStartupError } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import type { Realism, RoutingState } from "../machine/routing-state.ts";
import { buildRoutingState, deployedVersions } from "./build-routing-state.ts";
import { openDrain } from "./drain.ts";
import { groupForMachines, machinesToMerge, reachableVersions, startInGroups } from "./merging.ts";
import { type ObjectOwners, openObjectOwners } from "./object-owners.ts";

export interface FleetOptions extends Pick<MachineOptions, "read" | "folder" | "secret" | "code" | "log" | "cloud"> {
  readonly isolates: number;
  readonly realism: Realism | null;
  /** Resolves when every request that has begun by now has ended. */
  readonly whenIdle: () => Promise<void>;
  /** Workers that somebody tails. */
  readonly tailedWorkers: () => readonly string[];
  /** Called when a machine begins to start, with the Workers that it will hold. */
  readonly starting: (workers: readonly string[]) => void;
  /** About the fleet itself. */
  readonly report: (line: string) => void;
}

export interface Fleet {
  /**
   * Starts these versions beside all others; nobody reaches them yet.
   * @param account as it will be once they are recorded
   * @throws StartupError where one throws
   */
  readonly startVersions: (account: Account, versions: readonly WorkerVersion[]) => Promise<void>;
  /** All that runs goes by this account when it resolves. */
  readonly follow: (account: Account) => Promise<void>;
  /** Where a version takes requests, one base URL an isolate; it is started if it does not run. */
  readonly urlsOf: (account: Account, target: WorkerVersion) => Promise<readonly string[]>;
  /** Whether some machine has ended without being asked to. */
  readonly hasFailedMachines: () => Promise<boolean>;
  /** Starts anew what has ended. */
  readonly recover: (account: Account) => Promise<void>;
  /** Replaces all machines and owners by fresh ones. */
  readonly evict: (account: Account) => Promise<void>;
  /** The runtime's KV, in its own protocol. */
  readonly kv: Machine["kv"];
  readonly size: () => { readonly machines: number; readonly draining: number };
  readonly close: () => Promise<void>;
}

/** What production grants a request of a version that was replaced. */
const productionDrainMs = 30_000;

export const openFleet = async (options: FleetOptions): Promise<Fleet> => {
  let count = 0;
  let machines: Machine[] = [];
  /** Started, and not told of the account yet. */
  const pending = new Set<Machine>();
  /** Versions that somebody waits for. */
  const waitedFor = new Map<string, Promise<Machine>>();
  let merging: Promise<void> | undefined;
  /** What is starting when the fleet closes is ended as well. */
  const closing = new AbortController();
  const starting = new Set<Promise<Machine>>();
  let stateNumber = 0;
  const drain = openDrain({ ...options, timeoutMs: options.realism && productionDrainMs });

  const launch = (
    account: Account,
    versions: readonly WorkerVersion[],
    ownsObjects: boolean,
    storageAddress: string | null,
  ) => {
    const [id, strict, { signal }] = [`m${++count}`, options.realism !== null, closing];
    if (versions.length > 0) options.starting(versions.map(({ worker }) => worker.name));
    const launched = startMachine({ ...options, account, versions, ownsObjects, storageAddress, id, strict, signal });
    starting.add(launched);
    return launched.finally(() => starting.delete(launched));
  };

  // The first one owns the storage that all share, as long as the fleet is there.
  const launchStorage = () => launch({ workers: new Map(), namespaces: new Map() }, [], false, null);
  let storage = await launchStorage();

  const all = (): Machine[] => [storage, ...pending, ...machines, ...owners.byWorker.values(), ...drain.machines()];
  const machineOf = (version: string): Machine | undefined => machines.findLast(({ places }) => places.has(version));

  /** @param starting_ a machine that takes no requests yet */
  const routingState = (account: Account, starting_?: Machine): RoutingState => ({
    ...buildRoutingState(
      account,
      (id) => machineOf(id)?.places.get(id) ?? starting_?.places.get(id),
      owners.byWorker,
      owners.moving,
    ),
    number: ++stateNumber,
    tailedWorkers: options.tailedWorkers(),
  });

  const broadcast = async (state: RoutingState): Promise<void> => {
    const report = (it: Machine) =>
      it.update(state).catch((error: Error) => {
        // One that was closed meanwhile needs to know nothing.
        if (all().includes(it)) options.report(`machine ${it.id}: ${error.message}`);
      });
    await Promise.all(all().map(report));
  };

  /**
   * Whoever is led to a machine finds that it knows the account.
   * @param register puts it where requests find it
   */
  const start = async (
    account: Account,
    versions: readonly WorkerVersion[],
    register: (machine: Machine) => void,
    ownsObjects = false,
  ): Promise<Machine> => {
    const machine = await launch(account, versions, ownsObjects, storage.address);
    pending.add(machine);
    try {
      await machine.update(routingState(account, ownsObjects ? undefined : machine));
      register(machine);
    } catch (error) {
      await machine.dispose().catch(() => {});
      throw error;
    } finally {
      pending.delete(machine);
    }
    return machine;
  };
  const addMachine = (machine: Machine) => void machines.push(machine);
  const owners: ObjectOwners = openObjectOwners({
    start: (account, held, register) => start(account, [held], register, true),
    machines: () => all(),
    broadcast: (account) => broadcast(routingState(account)),
    report: options.report,
  });

  const startAll = (account: Account, missing: readonly WorkerVersion[]) =>
    startInGroups(missing, (group) => start(account, group, addMachine));

  /** Starts those that do not run; one that throws is left out, and said. */
  const startMissing = async (account: Account): Promise<void> => {
    const failed = new Set<string>();
    for (;;) {
      const missing = deployedVersions(account).filter(({ version: { id } }) => !machineOf(id) && !failed.has(id));
      try {
        return await startAll(account, missing);
      } catch (error) {
        if (!(error instanceof VersionStartupError)) throw error;
        for (const { worker, version } of missing) {
          const reason = error.reasons.get(version.id);
          if (reason === undefined) continue;
          failed.add(version.id);
          options.report(`${worker.name} ${version.id.slice(0, 8)} threw at start: ${reason}`);
        }
      }
    }
  };

  const retireUnused = (account: Account): void => {
    const reachable = new Set(deployedVersions(account).map(({ version }) => version.id));
    for (const { versions } of account.workers.values()) for (const { id } of versions.slice(-1)) reachable.add(id);
    const used = machines.filter(({ places }) => [...places.keys()].some((id) => reachable.has(id)));
    const unused = machines.filter((it) => !used.includes(it));
    machines = used;
    unused.forEach(drain.retire);
  };

  /**
   * Puts fresh machines in the place of these.
   * @param latest the account when they are ready
   */
  const replaceMachines = async (
    before: readonly Machine[],
    account: Account,
    latest: () => Account,
  ): Promise<void> => {
    const fresh: Machine[] = [];
    // Ahead of the others, so that those of before take the requests until all of these are there.
    const register = (machine: Machine) => {
      fresh.push(machine);
      machines.unshift(machine);
    };
    let replaced: readonly Machine[] = fresh;
    try {
      for (const held of groupForMachines(reachableVersions(account, before))) await start(account, held, register);
      const needed = deployedVersions(latest()).filter(
        ({ version }) => !fresh.some(({ places }) => places.has(version.id)),
      );
      // What has ended meanwhile is not there any more, and what went live meanwhile stays.
      replaced = before.filter(
        (it) => machines.includes(it) && !needed.some(({ version }) => it.places.has(version.id)),
      );
    } finally {
      machines = machines.filter((it) => !replaced.includes(it));
      await broadcast(routingState(latest()));
      replaced.forEach(drain.retire);
    }
  };

  const findDead = async (): Promise<ReadonlySet<Machine>> => {
    const deadMachines = new Set<Machine>();
    await Promise.all(all().map((it) => it.checkAlive().catch(() => deadMachines.add(it))));
    return deadMachines;
  };

  let current: Account = { workers: new Map(), namespaces: new Map() };
  const follow = async (account: Account): Promise<void> => {
    current = account;
    await startMissing(account);
    await owners.follow(account);
    await broadcast(routingState(account));
    retireUnused(account);
    const small = machinesToMerge(account, machines);
    if (small.length > 0 && !merging)
      merging = replaceMachines(small, account, () => current)
        .catch((error) => {
          if (!closing.signal.aborted) options.report(`machines were not merged: ${(error as Error).message}`);
        })
        .finally(() => {
          merging = undefined;
        });
  };

  return {
    startVersions: async (account, versions) => {
      const missing = versions.filter(({ version }) => !machineOf(version.id));
      await startAll(account, missing);
    },
    follow,
    urlsOf: async (account, target) => {
      const { id } = target.version;
      const running = machineOf(id);
      if (running) return running.urls.get(id) ?? [];
      // Of all that ask meanwhile, only the first one starts it.
      const machineStart =
        waitedFor.get(id) ?? start(account, [target], addMachine).finally(() => waitedFor.delete(id));
      waitedFor.set(id, machineStart);
      return (await machineStart).urls.get(id) ?? [];
    },
    hasFailedMachines: async () => (await findDead()).size > 0,
    recover: async (account) => {
      const gone = await findDead();
      if (gone.size === 0) return;
      for (const it of gone) options.report(`machine ${it.id} has ended; what it held is started anew`);
      machines = machines.filter((it) => !gone.has(it));
      for (const [worker, ownsObjects] of owners.byWorker) if (gone.has(ownsObjects)) owners.byWorker.delete(worker);
      await Promise.all([...gone].map((it) => it.dispose().catch(() => {})));
      if (gone.has(storage)) storage = await launchStorage();
      await follow(account);
    },
    evict: async (account) => {
      await replaceMachines([...machines], account, () => current);
      await owners.replaceAll(account);
    },
    kv: (...args) => storage.kv(...args),
    size: () => ({ machines: machines.length + owners.byWorker.size, draining: drain.machines().length }),
    close: async () => {
      closing.abort(new Error("the cloud has been stopped"));
      await Promise.allSettled([merging, ...starting]);
      await drain.close();
      await Promise.all(all().map((it) => it.dispose().catch(() => {})));
    },
  };
};
