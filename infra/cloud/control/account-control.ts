/** Operations on an account, one at a time. Each is checked, started and recorded before it is live. */
import { oneAtATime } from "../../../functions/control/model/one-at-a-time.ts";
import type { Account, Worker } from "../account/account.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Journal } from "../storage/journal.ts";
import { openCommits } from "./commits.ts";
import { type VersionOperations, versionOperations } from "./version-operations.ts";
import { type WorkerOperations, workerOperations } from "./worker-operations.ts";

export interface AccountControl extends VersionOperations, WorkerOperations {
  readonly account: () => Account;
  /** @throws ApiError if it does not exist */
  readonly worker: (name: string) => Worker;
  /** The bytes of a module. */
  readonly readBlob: (blob: string) => Buffer;
  /** Sends the account to the fleet again, such as after a tail has begun. */
  readonly refresh: () => Promise<void>;
  /** Replaces machines that have ended. */
  readonly recover: () => Promise<void>;
  /** Restarts all isolates and objects, as production does now and then. */
  readonly evict: () => Promise<void>;
}

export const openAccountControl = (journal: Journal, fleet: Fleet, now: () => Date): AccountControl => {
  const inTurn = oneAtATime();
  /** The operation, after all that were called before it. */
  const queued =
    <A extends readonly unknown[], T>(operation: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      inTurn(() => operation(...args));
  const commits = openCommits(journal, fleet);
  const versions = versionOperations(commits, journal, now);
  const workers = workerOperations(commits);
  return {
    account: commits.account,
    worker: commits.worker,
    readBlob: journal.readBlob,
    publish: queued(versions.publish),
    revise: queued(versions.revise),
    deploy: queued(versions.deploy),
    editSecrets: queued(versions.editSecrets),
    changeSettings: queued(workers.changeSettings),
    remove: queued(workers.remove),
    addNamespace: queued(workers.addNamespace),
    renameNamespace: queued(workers.renameNamespace),
    removeNamespace: queued(workers.removeNamespace),
    setHeaderRules: queued(workers.setHeaderRules),
    setTokens: queued(workers.setTokens),
    setDnsRecords: queued(workers.setDnsRecords),
    refresh: queued(() => fleet.follow(commits.account())),
    recover: queued(() => fleet.recover(commits.account())),
    evict: queued(() => fleet.evict(commits.account())),
  };
};
