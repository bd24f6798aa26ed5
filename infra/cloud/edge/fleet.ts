/**
 * The machines that run an account. A new version gets a machine beside the others, and new percentages are told to the
 * routers; nothing that runs is restarted for either. What no deployment names any more goes when the last request that
 * could reach it has ended. Small machines are merged.
 */
import type { Account } from "../account/account.ts";
import { openDrain } from "./drain.ts";
import { type Machine, type MachineOptions, StartupError, startMachine } from "./machine.ts";
import { inMachines, mergeable, startEach, wantedIn } from "./merging.ts";
import type { Held } from "./options.ts";
import { type Owners, openOwners } from "./owners.ts";
import type { Realism, Table } from "./routing-state.ts";
import { heldBy, tableFor } from "./build-routing-state.ts";

export interface FleetOptions extends Pick<MachineOptions, "read" | "folder" | "secret" | "code" | "log" | "cloud"> {
  readonly isolates: number;
  readonly realism: Realism | null;
  /** Resolves when every request that has begun by now has ended. */
  readonly settled: () => Promise<void>;
  /** Workers that somebody tails. */
  readonly tailed: () => readonly string[];
  /** Called when a machine begins to start, with the Workers that it will hold. */
  readonly starting: (workers: readonly string[]) => void;
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
  /** Whether some machine has ended without being asked to. */
  readonly ails: () => Promise<boolean>;
  /** Starts anew what has ended. */
  readonly mend: (account: Account) => Promise<void>;
  /** Replaces all machines and owners by fresh ones. */
  readonly evict: (account: Account) => Promise<void>;
  /** The runtime's KV, in its own protocol. */
  readonly kv: Machine["kv"];
  readonly size: () => { readonly machines: number; readonly draining: number };
  readonly close: () => Promise<void>;
}

/** What production grants a request of a version that was replaced. */
const realDrainMs = 30_000;

export const openFleet = async (options: FleetOptions): Promise<Fleet> => {
  let count = 0;
  let machines: Machine[] = [];
  /** Started, and not told of the account yet. */
  const untold = new Set<Machine>();
  /** Versions that somebody waits for. */
  const waking = new Map<string, Promise<Machine>>();
  let merging: Promise<void> | undefined;
  /** What is starting when the fleet closes is ended as well. */
  const closing = new AbortController();
  const starting = new Set<Promise<Machine>>();
  let tables = 0;
  const drain = openDrain({ ...options, patienceMs: options.realism && realDrainMs });

  const make = (account: Account, versions: readonly Held[], home: boolean, stores: string | null) => {
    const [id, strict, { signal }] = [`m${++count}`, options.realism !== null, closing];
    if (versions.length > 0) options.starting(versions.map(({ worker }) => worker.name));
    const made = startMachine({ ...options, account, versions, home, stores, id, strict, signal });
    starting.add(made);
    return made.finally(() => starting.delete(made));
  };

  // The first one owns the storage that all share, as long as the fleet is there.
  const makeStores = () => make({ workers: new Map(), namespaces: new Map() }, [], false, null);
  let stores = await makeStores();

  const all = (): Machine[] => [stores, ...untold, ...machines, ...owners.homes.values(), ...drain.machines()];
  const machineOf = (version: string): Machine | undefined => machines.findLast(({ places }) => places.has(version));

  /** @param also a machine that takes no requests yet */
  const tableOf = (account: Account, also?: Machine): Table => ({
    ...tableFor(account, (id) => machineOf(id)?.places.get(id) ?? also?.places.get(id), owners.homes, owners.moving),
    number: ++tables,
    tailed: options.tailed(),
  });

  const tellAll = async (table: Table): Promise<void> => {
    const tell = (it: Machine) =>
      it.tell(table).catch((error: Error) => {
        // One that was closed meanwhile needs to know nothing.
        if (all().includes(it)) options.tell(`machine ${it.id}: ${error.message}`);
      });
    await Promise.all(all().map(tell));
  };

  /**
   * Whoever is led to a machine finds that it knows the account.
   * @param adopt puts it where requests find it
   */
  const start = async (
    account: Account,
    versions: readonly Held[],
    adopt: (machine: Machine) => void,
    home = false,
  ): Promise<Machine> => {
    const machine = await make(account, versions, home, stores.address);
    untold.add(machine);
    try {
      await machine.tell(tableOf(account, home ? undefined : machine));
      adopt(machine);
    } catch (error) {
      await machine.dispose().catch(() => {});
      throw error;
    } finally {
      untold.delete(machine);
    }
    return machine;
  };
  const add = (machine: Machine) => void machines.push(machine);
  const owners: Owners = openOwners({
    start: (account, held, adopt) => start(account, [held], adopt, true),
    all: () => all(),
    tellAll: (account) => tellAll(tableOf(account)),
    tell: options.tell,
  });

  const startAll = (account: Account, cold: readonly Held[]) => startEach(cold, (some) => start(account, some, add));

  /** Starts those that do not run; one that throws is left out, and said. */
  const startCold = async (account: Account): Promise<void> => {
    const thrown = new Set<string>();
    for (;;) {
      const cold = heldBy(account).filter(({ version: { id } }) => !machineOf(id) && !thrown.has(id));
      try {
        return await startAll(account, cold);
      } catch (error) {
        if (!(error instanceof StartupError)) throw error;
        for (const { worker, version } of cold) {
          const reason = error.reasons.get(version.id);
          if (reason === undefined) continue;
          thrown.add(version.id);
          options.tell(`${worker.name} ${version.id.slice(0, 8)} threw at start: ${reason}`);
        }
      }
    }
  };

  const dropUnwanted = (account: Account): void => {
    const wanted = new Set(heldBy(account).map(({ version }) => version.id));
    for (const { versions } of account.workers.values()) for (const { id } of versions.slice(-1)) wanted.add(id);
    const kept = machines.filter(({ places }) => [...places.keys()].some((id) => wanted.has(id)));
    const dropped = machines.filter((it) => !kept.includes(it));
    machines = kept;
    dropped.forEach(drain.retire);
  };

  /**
   * Puts fresh machines in the place of these.
   * @param latest the account when they are ready
   */
  const renew = async (before: readonly Machine[], account: Account, latest: () => Account): Promise<void> => {
    const fresh: Machine[] = [];
    // Ahead of the others, so that those of before take the requests until all of these are there.
    const adopt = (machine: Machine) => {
      fresh.push(machine);
      machines.unshift(machine);
    };
    let gone: readonly Machine[] = fresh;
    try {
      for (const held of inMachines(wantedIn(account, before))) await start(account, held, adopt);
      const needed = heldBy(latest()).filter(({ version }) => !fresh.some(({ places }) => places.has(version.id)));
      // What has ended meanwhile is not there any more, and what went live meanwhile stays.
      gone = before.filter((it) => machines.includes(it) && !needed.some(({ version }) => it.places.has(version.id)));
    } finally {
      machines = machines.filter((it) => !gone.includes(it));
      await tellAll(tableOf(latest()));
      gone.forEach(drain.retire);
    }
  };

  const dead = async (): Promise<ReadonlySet<Machine>> => {
    const found = new Set<Machine>();
    await Promise.all(all().map((it) => it.check().catch(() => found.add(it))));
    return found;
  };

  let current: Account = { workers: new Map(), namespaces: new Map() };
  const follow = async (account: Account): Promise<void> => {
    current = account;
    await startCold(account);
    await owners.follow(account);
    await tellAll(tableOf(account));
    dropUnwanted(account);
    const many = mergeable(account, machines);
    if (many.length > 0 && !merging)
      merging = renew(many, account, () => current)
        .catch((error) => {
          if (!closing.signal.aborted) options.tell(`machines were not merged: ${(error as Error).message}`);
        })
        .finally(() => {
          merging = undefined;
        });
  };

  return {
    admit: async (account, versions) => {
      const cold = versions.filter(({ version }) => !machineOf(version.id));
      await startAll(account, cold);
    },
    follow,
    urlsOf: async (account, held) => {
      const { id } = held.version;
      const running = machineOf(id);
      if (running) return running.urls.get(id) ?? [];
      // Of all that ask meanwhile, only the first one starts it.
      const woken = waking.get(id) ?? start(account, [held], add).finally(() => waking.delete(id));
      waking.set(id, woken);
      return (await woken).urls.get(id) ?? [];
    },
    ails: async () => (await dead()).size > 0,
    mend: async (account) => {
      const gone = await dead();
      if (gone.size === 0) return;
      for (const it of gone) options.tell(`machine ${it.id} has ended; what it held is started anew`);
      machines = machines.filter((it) => !gone.has(it));
      for (const [worker, home] of owners.homes) if (gone.has(home)) owners.homes.delete(worker);
      await Promise.all([...gone].map((it) => it.dispose().catch(() => {})));
      if (gone.has(stores)) stores = await makeStores();
      await follow(account);
    },
    evict: async (account) => {
      await renew([...machines], account, () => current);
      await owners.renew(account);
    },
    kv: (...asked) => stores.kv(...asked),
    size: () => ({ machines: machines.length + owners.homes.size, draining: drain.machines().length }),
    close: async () => {
      closing.abort(new Error("the cloud has been stopped"));
      await Promise.allSettled([merging, ...starting]);
      await drain.close();
      await Promise.all(all().map((it) => it.dispose().catch(() => {})));
    },
  };
};
