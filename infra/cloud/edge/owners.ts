/** Who runs a Worker's Durable Objects: one machine at any time, and calls wait while it changes. */
import { type Account, ownerOf, type Version, type Worker } from "../account/account.ts";
import type { Machine } from "./machine.ts";
import type { Held } from "./options.ts";

export interface Owners {
  /** By Worker. */
  readonly homes: Map<string, Machine>;
  /** Workers whose objects are about to have another owner. */
  readonly moving: ReadonlySet<string>;
  /** Every Worker's objects are with the version that the account says. */
  readonly follow: (account: Account) => Promise<void>;
  /** All objects begin anew. */
  readonly renew: (account: Account) => Promise<void>;
}

interface Surroundings {
  /** @param adopt is called when the machine knows the account */
  readonly start: (account: Account, held: Held, adopt: (machine: Machine) => void) => Promise<Machine>;
  readonly all: () => readonly Machine[];
  readonly tellAll: (account: Account) => Promise<void>;
  readonly tell: (line: string) => void;
}

export const openOwners = ({ start, all, tellAll, tell }: Surroundings): Owners => {
  const homes = new Map<string, Machine>();
  const moving = new Set<string>();

  /** What is under way ends first, and none begins before the new owner is there. */
  const change = async (account: Account, worker: Worker, owner: Version | undefined): Promise<void> => {
    const before = homes.get(worker.name);
    const adopt = (machine: Machine) => void homes.set(worker.name, machine);
    if (before) {
      moving.add(worker.name);
      await tellAll(account);
      await Promise.all(all().map((it) => it.quiet(worker.name).catch(() => {})));
    }
    homes.delete(worker.name);
    await before?.dispose();
    try {
      if (owner) await start(account, { worker, version: owner }, adopt);
    } catch (error) {
      const [last] = before?.holds ?? [];
      if (last) await start(account, last, adopt);
      tell(`the objects of ${worker.name} stay with the version before: ${(error as Error).message}`);
    } finally {
      moving.delete(worker.name);
    }
    if (owner) await tellAll(account);
  };

  return {
    homes,
    moving,
    follow: async (account) => {
      for (const [name, { holds }] of homes) {
        const [held] = holds;
        if (held && !account.workers.has(name)) await change(account, held.worker, undefined);
      }
      const changes = [...account.workers.values()].filter((worker) => {
        const [held] = homes.get(worker.name)?.holds ?? [];
        return ownerOf(worker)?.id !== held?.version.id || (held && held.worker.classes !== worker.classes);
      });
      await Promise.all(changes.map((worker) => change(account, worker, ownerOf(worker))));
    },
    renew: async (account) => {
      for (const worker of account.workers.values())
        if (homes.has(worker.name)) await change(account, worker, ownerOf(worker));
    },
  };
};
