/** Sends the routing state to the routers of all machines. */
import type { Account } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { RoutingState } from "../machine/routing-state.ts";
import { buildRoutingState } from "./build-routing-state.ts";
import type { ObjectOwners } from "./object-owners.ts";

export interface RoutingSource {
  readonly machines: () => readonly Machine[];
  readonly machineOf: (version: string) => Machine | undefined;
  readonly owners: () => Pick<ObjectOwners, "byWorker" | "moving">;
  /** Workers with a tail. */
  readonly tailedWorkers: () => readonly string[];
  readonly report: (line: string) => void;
}

export interface RoutingBroadcast {
  /** @param starting a machine that takes no requests yet, and already has to know where its own versions are */
  readonly stateFor: (account: Account, starting?: Machine) => RoutingState;
  /** Resolves when every machine knows the state. A machine that fails is reported. */
  readonly send: (account: Account) => Promise<void>;
}

export const routingBroadcast = (source: RoutingSource): RoutingBroadcast => {
  let number = 0;
  const stateFor = (account: Account, starting?: Machine): RoutingState => {
    const locationOf = (id: string) => source.machineOf(id)?.locations.get(id) ?? starting?.locations.get(id);
    const { byWorker, moving } = source.owners();
    return {
      ...buildRoutingState(account, locationOf, byWorker, moving),
      number: ++number,
      tailedWorkers: source.tailedWorkers(),
    };
  };
  return {
    stateFor,
    send: async (account) => {
      const state = stateFor(account);
      const update = (machine: Machine) =>
        machine.update(state).catch((error: Error) => {
          // A machine that was closed meanwhile needs no state.
          if (source.machines().includes(machine)) source.report(`machine ${machine.id}: ${error.message}`);
        });
      await Promise.all(source.machines().map(update));
    },
  };
};
