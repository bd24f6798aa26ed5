/** Starts machines, the first of which owns the storage that all of them share, and ends those that still start when the fleet closes. */
import { type Account, emptyAccount } from "../account/account.ts";
import { type Machine, type MachineOptions, startMachine } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";

export interface LauncherOptions
  extends Pick<
    MachineOptions,
    "readBlob" | "folder" | "secret" | "code" | "log" | "handleCloudRequest" | "isolates" | "realism"
  > {
  /** Called when a machine begins to start, with the Workers that it will run. */
  readonly starting: (workers: readonly string[]) => void;
}

export interface Launcher {
  /** The machine with the shared storage. */
  readonly storage: () => Machine;
  /** Starts another storage machine after the first has ended. */
  readonly replaceStorage: () => Promise<void>;
  /** @throws VersionStartupError if one of the versions throws */
  readonly launch: (account: Account, versions: readonly WorkerVersion[], ownsObjects: boolean) => Promise<Machine>;
  readonly isClosing: () => boolean;
  /** Ends what is starting. The storage machine goes on. */
  readonly close: () => Promise<void>;
}

export const openLauncher = async (options: LauncherOptions): Promise<Launcher> => {
  const closing = new AbortController();
  const starting = new Set<Promise<Machine>>();
  let count = 0;
  const launch = (
    account: Account,
    versions: readonly WorkerVersion[],
    ownsObjects: boolean,
    storageAddress: string | null,
  ): Promise<Machine> => {
    const [id, strict, { signal }] = [`m${++count}`, options.realism !== null, closing];
    if (versions.length > 0) options.starting(versions.map(({ worker }) => worker.name));
    const launched = startMachine({ ...options, account, versions, ownsObjects, storageAddress, id, strict, signal });
    starting.add(launched);
    return launched.finally(() => starting.delete(launched));
  };
  const launchStorage = () => launch(emptyAccount, [], false, null);
  let storage = await launchStorage();
  return {
    storage: () => storage,
    replaceStorage: async () => {
      storage = await launchStorage();
    },
    launch: (account, versions, ownsObjects) => launch(account, versions, ownsObjects, storage.address),
    isClosing: () => closing.signal.aborted,
    close: async () => {
      closing.abort(new Error("the cloud has been stopped"));
      await Promise.allSettled(starting);
    },
  };
};
