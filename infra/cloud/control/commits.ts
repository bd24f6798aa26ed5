/** Applies changes to an account: starts the versions, records the events in the journal, then lets the running machines follow. */
import type { Account, Event, Worker } from "../account/account.ts";
import { apiErrors, WorkerStartupError } from "../account/api-errors.ts";
import { previewVersion } from "../account/publish.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { WorkerVersion } from "../machine/options.ts";
import { VersionStartupError } from "../machine/startup-error.ts";
import type { Journal } from "../storage/journal.ts";

export type VersionEvent = Event & { readonly type: "version" };

export interface Commits {
  readonly account: () => Account;
  /** @throws ApiError if it does not exist */
  readonly worker: (name: string) => Worker;
  readonly commit: (...events: readonly Event[]) => Promise<void>;
  /** Starts the versions before they are recorded: every version on disk has run once. */
  readonly commitVersions: (events: readonly VersionEvent[]) => Promise<void>;
  /** @throws WorkerStartupError */
  readonly startVersions: (next: Account, versions: readonly WorkerVersion[]) => Promise<void>;
}

export const openCommits = ({ account, record }: Journal, fleet: Fleet): Commits => {
  const commit = async (...events: readonly Event[]): Promise<void> => {
    record(...events);
    await fleet.follow(account());
  };
  const startVersions = (next: Account, versions: readonly WorkerVersion[]): Promise<void> =>
    fleet.startVersions(next, versions).catch((error) => {
      throw error instanceof VersionStartupError ? byWorker(error, versions) : error;
    });
  return {
    account,
    worker: (name) => {
      const found = account().workers.get(name);
      if (!found) throw apiErrors.noWorker();
      return found;
    },
    commit,
    startVersions,
    commitVersions: async (events) => {
      let next = account();
      const versions: WorkerVersion[] = [];
      for (const event of events) {
        const preview = previewVersion(next, event);
        next = preview.account;
        versions.push({ worker: preview.worker, version: event.version });
      }
      await startVersions(next, versions);
      await commit(...events);
    },
  };
};

/** The same reasons by the Workers' names, which a client knows. */
const byWorker = ({ reasons }: VersionStartupError, versions: readonly WorkerVersion[]): WorkerStartupError =>
  new WorkerStartupError(
    new Map(
      versions.flatMap(({ worker, version }) => {
        const reason = reasons.get(version.id);
        return reason === undefined ? [] : [[worker.name, reason] as const];
      }),
    ),
  );
