/**
 * The machines that run an account. A new version gets a machine beside the others, and new percentages are told to the
 * routers; nothing that runs is restarted for either. What no deployment names any more goes when the last request that
 * could reach it has ended. Many small machines are merged into one from time to time.
 */
import { type Account, latestVersion, liveVersions, ownerOf, type Version, type Worker } from "../account.ts";
import { type Held, type Machine, type MachineOptions, StartupError, startMachine } from "./machine.ts";
import type { Place, Realism, Table } from "./table.ts";

export interface FleetOptions extends Pick<MachineOptions, "read" | "folder" | "secret" | "code" | "log" | "cloud"> {
  readonly isolates: number;
  readonly realism: Realism | null;
  /** Resolves when every request that has begun by now has ended. */
  readonly settled: () => Promise<void>;
  /** Workers that somebody tails. */
  readonly tailed: () => readonly string[];
  /** About the fleet itself. */
  readonly tell: (line: string) => void;
}

export interface Fleet {
  /**
   * Starts these versions beside all others; nobody reaches them yet.
   * @param account as it will be once they are recorded
   * @throws StartupError where one throws
   */
  readonly admit: (account: Account, versions: readonly Held[]) => Promise<void>;
  /** All that runs goes by this account when it resolves. */
  readonly follow: (account: Account) => Promise<void>;
  /** Where a version takes requests, one base URL an isolate; it is started if it does not run. */
  readonly urlsOf: (account: Account, held: Held) => Promise<readonly string[]>;
  /** Looks whether all machines live, and starts anew what does not. */
  readonly mend: (account: Account) => Promise<void>;
  /** Replaces all machines and owners by fresh ones. */
  readonly evict: (account: Account) => Promise<void>;
  /** The runtime's KV, in its own protocol. */
  readonly kv: Machine["kv"];
  readonly size: () => { readonly machines: number; readonly draining: number };
  readonly close: () => Promise<void>;
}

/** More machines than this are merged into one. */
const mostMachines = 6;
/** Replaced machines that wait for their last requests; of more, the oldest is closed. */
const mostDraining = 8;
/** Work that a request left behind (`waitUntil`) gets so long. */
const lingerMs = 1000;
/** What production grants a request of a version that was replaced. */
const realDrainMs = 30_000;

export const openFleet = async (options: FleetOptions): Promise<Fleet> => {
  let count = 0;
  let machines: Machine[] = [];
  const homes = new Map<string, Machine>();
  const draining = new Map<Machine, Promise<void>>();
  let merging: Promise<void> | undefined;
  let closed = false;

  const make = (account: Account, versions: readonly Held[], home: boolean, stores: string | null): Promise<Machine> =>
    startMachine({ ...options, account, versions, home, stores, id: `m${++count}`, strict: options.realism !== null });

  // The first one owns the storage that all share, as long as the fleet is there.
  const stores = await make({ workers: new Map(), namespaces: new Map() }, [], false, null);
  const start = (account: Account, versions: readonly Held[], home = false) =>
    make(account, versions, home, stores.address);

  const all = (): Machine[] => [stores, ...machines, ...homes.values(), ...draining.keys()];
  const machineOf = (version: string): Machine | undefined => machines.findLast(({ places }) => places.has(version));

  const tableOf = (account: Account, without?: string): Table => ({
    live: Object.fromEntries([...account.workers.values()].map((it) => [it.name, sharesOf(it)])),
    places: Object.fromEntries(
      [...account.workers.values()].flatMap((worker) =>
        liveVersions(worker).flatMap(({ id }) => {
          const place = machineOf(id)?.places.get(id);
          return place ? [[id, place] as const] : [];
        }),
      ),
    ),
    homes: Object.fromEntries(
      [...homes]
        .filter(([worker]) => worker !== without)
        .map(([worker, { places }]) => [worker, [...places.values()][0] as Place]),
    ),
    tailed: options.tailed(),
  });

  const tellAll = async (table: Table): Promise<void> => {
    await Promise.all(
      all().map((it) => it.tell(table).catch((error) => options.tell(`machine ${it.id}: ${error.message}`))),
    );
  };

  const retire = (machine: Machine): void => {
    const patience = options.realism ? [new Promise<void>((end) => setTimeout(end, realDrainMs).unref())] : [];
    const gone = Promise.race([options.settled(), ...patience])
      .then(() => new Promise((linger) => setTimeout(linger, closed ? 0 : lingerMs)))
      .then(() => machine.dispose())
      .catch((error) => options.tell(`machine ${machine.id} did not end well: ${(error as Error).message}`))
      .finally(() => draining.delete(machine));
    draining.set(machine, gone);
    const [oldest] = draining.keys();
    if (draining.size > mostDraining && oldest) {
      options.tell(`machine ${oldest.id} is closed with requests under way: ${mostDraining} others wait for theirs`);
      draining.delete(oldest);
      void oldest.dispose().catch(() => {});
    }
  };

  /** Starts those that do not run; one that throws is left out, and said. */
  const startCold = async (account: Account): Promise<void> => {
    let cold = heldBy(account).filter(({ version }) => !machineOf(version.id));
    while (cold.length > 0)
      try {
        machines.push(await start(account, cold));
        return;
      } catch (error) {
        if (!(error instanceof StartupError)) throw error;
        for (const { worker, version } of cold)
          if (error.reasons.has(version.id))
            options.tell(`${worker.name} ${version.id.slice(0, 8)} threw at start: ${error.reasons.get(version.id)}`);
        cold = cold.filter(({ version }) => !error.reasons.has(version.id));
      }
  };

  /** Objects have one owner at any time: calls wait while it changes, and what is under way ends first. */
  const changeOwner = async (account: Account, worker: Worker, owner: Version | undefined): Promise<void> => {
    const before = homes.get(worker.name);
    if (before) await Promise.all(all().map((it) => it.hold(worker.name).catch(() => {})));
    homes.delete(worker.name);
    await before?.dispose();
    if (!owner) return;
    try {
      homes.set(worker.name, await start(account, [{ worker, version: owner }], true));
    } catch (error) {
      const [last] = before?.holds ?? [];
      if (last) homes.set(worker.name, await start(account, [last], true));
      options.tell(`the objects of ${worker.name} stay with the version before: ${(error as Error).message}`);
    }
    await tellAll(tableOf(account));
  };

  const changeOwners = async (account: Account): Promise<void> => {
    for (const [name, { holds }] of homes) {
      const [held] = holds;
      if (held && !account.workers.has(name)) await changeOwner(account, held.worker, undefined);
    }
    const changes = [...account.workers.values()].filter((worker) => {
      const [held] = homes.get(worker.name)?.holds ?? [];
      return ownerOf(worker)?.id !== held?.version.id || (held && held.worker.classes !== worker.classes);
    });
    await Promise.all(changes.map((worker) => changeOwner(account, worker, ownerOf(worker))));
  };

  const dropUnwanted = (account: Account): void => {
    const wanted = new Set(heldBy(account).map(({ version }) => version.id));
    for (const { versions } of account.workers.values()) for (const { id } of versions.slice(-1)) wanted.add(id);
    const kept = machines.filter(({ places }) => [...places.keys()].some((id) => wanted.has(id)));
    const dropped = machines.filter((it) => !kept.includes(it));
    machines = kept;
    dropped.forEach(retire);
  };

  /** @param latest the account when the merged machine is ready */
  const merge = async (account: Account, latest: () => Account): Promise<void> => {
    const before = [...machines];
    const wanted = [...account.workers.values()].flatMap((worker) =>
      [...new Set([...liveVersions(worker), latestVersion(worker)])].map((version) => ({ worker, version })),
    );
    const merged = await start(account, wanted);
    if (closed) return merged.dispose();
    machines = [merged, ...machines.filter((it) => !before.includes(it))];
    before.forEach(retire);
    await tellAll(tableOf(latest()));
  };

  let current: Account = { workers: new Map(), namespaces: new Map() };
  const follow = async (account: Account): Promise<void> => {
    current = account;
    await startCold(account);
    await changeOwners(account);
    await tellAll(tableOf(account));
    dropUnwanted(account);
    if (machines.length > mostMachines && !merging)
      merging = merge(account, () => current)
        .catch((error) => options.tell(`machines were not merged: ${(error as Error).message}`))
        .finally(() => {
          merging = undefined;
        });
  };

  return {
    admit: async (account, versions) => {
      const cold = versions.filter(({ version }) => !machineOf(version.id));
      if (cold.length > 0) machines.push(await start(account, cold));
    },
    follow,
    urlsOf: async (account, held) => {
      const { id } = held.version;
      if (!machineOf(id)) {
        machines.push(await start(account, [held]));
        await tellAll(tableOf(account));
      }
      return machineOf(id)?.urls.get(id) ?? [];
    },
    mend: async (account) => {
      const table = tableOf(account);
      const lives = async (it: Machine) =>
        it.tell(table).then(
          () => true,
          () => false,
        );
      const dead = new Set<Machine>();
      await Promise.all(all().map(async (it) => (await lives(it)) || dead.add(it)));
      if (dead.size === 0) return;
      for (const it of dead) options.tell(`machine ${it.id} has ended; what it held is started anew`);
      machines = machines.filter((it) => !dead.has(it));
      for (const [worker, home] of homes) if (dead.has(home)) homes.delete(worker);
      await Promise.all([...dead].map((it) => it.dispose().catch(() => {})));
      await follow(account);
    },
    evict: async (account) => {
      await merge(account, () => current);
      for (const worker of account.workers.values())
        if (homes.has(worker.name)) await changeOwner(account, worker, ownerOf(worker));
    },
    kv: stores.kv,
    size: () => ({ machines: machines.length + homes.size, draining: draining.size }),
    close: async () => {
      closed = true;
      await merging;
      const running = [...machines, ...homes.values(), ...draining.keys()];
      await Promise.all(running.map((it) => it.dispose().catch(() => {})));
      await stores.dispose();
    },
  };
};

/** All versions that some deployment names. */
const heldBy = (account: Account): Held[] =>
  [...account.workers.values()].flatMap((worker) => liveVersions(worker).map((version) => ({ worker, version })));

const sharesOf = (worker: Worker) =>
  (worker.deployments[0]?.versions ?? []).flatMap(({ version_id: id, percentage }) => {
    const number = worker.versions.find((it) => it.id === id)?.number;
    return number === undefined ? [] : [{ id, number, percentage }];
  });
