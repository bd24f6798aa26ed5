/** Who runs a Worker's Durable Objects: one machine at any time, and calls wait while it changes. */
import { type Account, objectOwner, type Version, type Worker } from "../account/account.ts";
import type { Machine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";

export interface ObjectOwners {
  /** By Worker. */
  readonly byWorker: Map<string, Machine>;
  /** Workers whose objects are about to have another owner. */
  readonly moving: ReadonlySet<string>;
  /** Every Worker's objects are with the version that the account says. */
  readonly follow: (account: Account) => Promise<void>;
  /** All objects begin anew. */
  readonly replaceAll: (account: Account) => Promise<void>;
}

interface ObjectOwnersOptions {
  /** @param register is called when the machine knows the account */
  readonly start: (account: Account, version: WorkerVersion, register: (machine: Machine) => void) => Promise<Machine>;
  readonly machines: () => readonly Machine[];
  readonly broadcast: (account: Account) => Promise<void>;
  readonly report: (line: string) => void;
}

export const openObjectOwners = ({
  start,
  machines: all,
  broadcast: tellAll,
  report: tell,
}: ObjectOwnersOptions): ObjectOwners => {
  const byWorker = new Map<string, Machine>();
  const moving = new Set<string>();

  /** What is under way ends first, and none begins before the new owner is there. */
  const moveObjects = async (account: Account, worker: Worker, owner: Version | undefined): Promise<void> => {
    const before = byWorker.get(worker.name);
    const register = (machine: Machine) => void byWorker.set(worker.name, machine);
    if (before) {
      moving.add(worker.name);
      await tellAll(account);
      await Promise.all(all().map((it) => it.whenObjectsIdle(worker.name).catch(() => {})));
    }
    byWorker.delete(worker.name);
    await before?.dispose();
    try {
      if (owner) await start(account, { worker, version: owner }, register);
    } catch (error) {
      const [last] = before?.versions ?? [];
      if (last) await start(account, last, register);
      tell(`the objects of ${worker.name} stay with the version before: ${(error as Error).message}`);
    } finally {
      moving.delete(worker.name);
    }
    if (owner) await tellAll(account);
  };

  return {
    byWorker,
    moving,
    follow: async (account) => {
      for (const [name, { versions: holds }] of byWorker) {
        const [current] = holds;
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
