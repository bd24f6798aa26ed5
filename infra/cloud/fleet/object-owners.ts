/** Assigns a Worker's Durable Objects to one machine at a time. Calls wait while the owner changes. */
import { type Account, objectOwner, type Version, type Worker } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";

export interface ObjectOwners {
  /** By Worker. */
  readonly byWorker: Map<string, Machine>;
  /** Workers whose objects are about to change their owner. */
  readonly moving: ReadonlySet<string>;
  /** Moves objects to the versions that the account says. */
  readonly follow: (account: Account) => Promise<void>;
  /** Restarts all objects. */
  readonly replaceAll: (account: Account) => Promise<void>;
}

interface ObjectOwnersOptions {
  /** @param register called when the machine has the routing state */
  readonly start: (account: Account, version: WorkerVersion, register: (machine: Machine) => void) => Promise<Machine>;
  readonly machines: () => readonly Machine[];
  readonly broadcast: (account: Account) => Promise<void>;
  readonly report: (line: string) => void;
}

export const openObjectOwners = ({ start, machines, broadcast, report }: ObjectOwnersOptions): ObjectOwners => {
  const byWorker = new Map<string, Machine>();
  const moving = new Set<string>();

  /** Calls in flight end first, and no call begins before the new owner runs. */
  const moveObjects = async (account: Account, worker: Worker, owner: Version | undefined): Promise<void> => {
    const before = byWorker.get(worker.name);
    const register = (machine: Machine) => void byWorker.set(worker.name, machine);
    if (before) {
      moving.add(worker.name);
      await broadcast(account);
      await Promise.all(machines().map((it) => it.whenObjectsIdle(worker.name).catch(() => {})));
    }
    byWorker.delete(worker.name);
    await before?.dispose();
    try {
      if (owner) await start(account, { worker, version: owner }, register);
    } catch (error) {
      const [last] = before?.versions ?? [];
      if (last) await start(account, last, register);
      report(`the objects of ${worker.name} stay with the version before: ${(error as Error).message}`);
    } finally {
      moving.delete(worker.name);
    }
    if (owner) await broadcast(account);
  };

  return {
    byWorker,
    moving,
    follow: async (account) => {
      for (const [name, { versions }] of byWorker) {
        const [current] = versions;
        if (current && !account.workers.has(name)) await moveObjects(account, current.worker, undefined);
      }
      const moves = [...account.workers.values()].filter((worker) => {
        const [current] = byWorker.get(worker.name)?.versions ?? [];
        return (
          objectOwner(worker)?.id !== current?.version.id || (current && current.worker.classes !== worker.classes)
        );
      });
      await Promise.all(moves.map((worker) => moveObjects(account, worker, objectOwner(worker))));
    },
    replaceAll: async (account) => {
      for (const worker of account.workers.values())
        if (byWorker.has(worker.name)) await moveObjects(account, worker, objectOwner(worker));
    },
  };
};
