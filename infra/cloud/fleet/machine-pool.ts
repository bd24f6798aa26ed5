/** The machines of a fleet: those that start, those that take requests, the owners of objects, and those that drain. */
import type { Account } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import type { Realism } from "../machine/routing-state.ts";
import { openDrain } from "./drain.ts";
import type { Launcher } from "./launcher.ts";
import { type ObjectOwners, openObjectOwners } from "./object-owners.ts";
import { routingBroadcast } from "./routing-broadcast.ts";

export interface PoolOptions {
  readonly realism: Realism | null;
  /** Resolves when every request that has begun by now has ended. */
  readonly whenIdle: () => Promise<void>;
  /** Workers with a tail. */
  readonly tailedWorkers: () => readonly string[];
  /** Takes a line about the fleet itself. */
  readonly report: (line: string) => void;
}

export interface MachinePool {
  readonly owners: ObjectOwners;
  /** Every machine, storage and draining ones included. */
  readonly all: () => readonly Machine[];
  /** Machines that take requests, object owners excepted. Of several with one version, the last takes its requests. */
  readonly serving: () => readonly Machine[];
  readonly draining: () => readonly Machine[];
  readonly machineOf: (version: string) => Machine | undefined;
  /**
   * Starts a machine, sends it the routing state, and then registers it: a request never meets a machine without a state.
   * @param register puts the machine where requests find it
   */
  readonly start: (
    account: Account,
    versions: readonly WorkerVersion[],
    register: (machine: Machine) => void,
    ownsObjects?: boolean,
  ) => Promise<Machine>;
  readonly add: (machine: Machine) => void;
  /** Adds a machine behind those that run its versions already, so that they take the requests until they are removed. */
  readonly addFirst: (machine: Machine) => void;
  readonly remove: (machines: readonly Machine[]) => void;
  /** Ends machines that were removed when their last request has ended. */
  readonly retire: (machines: readonly Machine[]) => void;
  /** Resolves when every router knows the account. */
  readonly broadcast: (account: Account) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What production grants a request of a version that was replaced. */
const productionDrainMs = 30_000;

export const openMachinePool = (options: PoolOptions, launcher: Launcher): MachinePool => {
  let serving: readonly Machine[] = [];
  const pending = new Set<Machine>();
  const drain = openDrain({ ...options, timeoutMs: options.realism && productionDrainMs });
  const machines = () => [
    ...[launcher.storage(), ...pending, ...serving],
    ...[...owners.byWorker.values(), ...drain.machines()],
  ];
  const machineOf = (version: string) => serving.findLast(({ locations }) => locations.has(version));
  const routing = routingBroadcast({ ...options, machines, machineOf, owners: () => owners });

  const start: MachinePool["start"] = async (account, versions, register, ownsObjects = false) => {
    const machine = await launcher.launch(account, versions, ownsObjects);
    pending.add(machine);
    try {
      await machine.update(routing.stateFor(account, ownsObjects ? undefined : machine));
      register(machine);
    } catch (error) {
      await machine.dispose().catch(() => {});
      throw error;
    } finally {
      pending.delete(machine);
    }
    return machine;
  };
  const owners: ObjectOwners = openObjectOwners({
    start: (account, version, register) => start(account, [version], register, true),
    machines,
    broadcast: routing.send,
    report: options.report,
  });

  return {
    ...{ owners, all: machines, machineOf, start, broadcast: routing.send, draining: drain.machines },
    serving: () => serving,
    add: (machine) => {
      serving = [...serving, machine];
    },
    addFirst: (machine) => {
      serving = [machine, ...serving];
    },
    remove: (machines) => {
      serving = serving.filter((it) => !machines.includes(it));
    },
    retire: (machines) => machines.forEach(drain.retire),
    close: async () => {
      await drain.close();
      await Promise.all(machines().map((it) => it.dispose().catch(() => {})));
    },
  };
};
