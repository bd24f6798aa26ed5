/** What can be done to an account, one thing at a time: checked, started, recorded, and only then live. */

import { randomBytes, randomUUID } from "node:crypto";
import { oneAtATime } from "../../../functions/control/model/one-at-a-time.ts";
import {
  type Account,
  applyEvent,
  type Deployment,
  type Event,
  latestVersion,
  liveVersions,
  type Namespace,
  type Settings,
  type Share,
  type Version,
  type Worker,
  workersBoundTo,
} from "../account/account.ts";
import { apiErrors, WorkerStartupError } from "../account/api-errors.ts";
import { checkName, secretBindings } from "../account/bindings.ts";
import { checkRoute, checkSecrets, checkShares, checkTitle } from "../account/checks.ts";
import { checkExports } from "../account/exports.ts";
import {
  fullDeployment,
  type Publication,
  previewVersion,
  type Revision,
  revisedUpload,
  versionEvent,
} from "../account/publish.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { VersionStartupError } from "../machine/machine.ts";
import type { WorkerVersion } from "../machine/options.ts";
import type { Journal } from "../storage/journal.ts";

export interface SecretEdits {
  /** A value, or null to take the secret away. */
  readonly [name: string]: string | null;
}

export interface AccountControl {
  readonly account: () => Account;
  /** @throws CloudFault where there is none */
  readonly worker: (name: string) => Worker;
  /**
   * Uploads several at once, in order, so that one start of the runtime tries them all. Nothing is recorded where one fails.
   * @throws CloudFault, ThrewAtStart
   */
  readonly publish: (publications: readonly Publication[]) => Promise<readonly Version[]>;
  /** @param force also where a rollback brings secrets back that have changed since */
  readonly deploy: (
    name: string,
    shares: readonly Share[],
    annotations: Readonly<Record<string, string>>,
    force: boolean,
  ) => Promise<Deployment>;
  /** @param deploy puts the new version live; then the one before has to be live as a whole */
  readonly editSecrets: (
    name: string,
    edits: SecretEdits,
    deploy: boolean,
    annotations: Readonly<Record<string, string>>,
  ) => Promise<Version>;
  /**
   * A version like the newest one, which has to be live as a whole; it goes live at once.
   * @throws CloudFault, ThrewAtStart
   */
  readonly revise: (name: string, revision: Revision) => Promise<Version>;
  /** The bytes of a module. */
  readonly readBlob: (blob: string) => Buffer;
  readonly changeSettings: (name: string, settings: Partial<Settings>) => Promise<Worker>;
  /** @param force also where others are bound to it */
  readonly remove: (name: string, force: boolean) => Promise<void>;
  readonly addNamespace: (title: string, id?: string) => Promise<Namespace>;
  readonly renameNamespace: (id: string, title: string) => Promise<Namespace>;
  readonly removeNamespace: (id: string) => Promise<void>;
  /** Tells the fleet anew, such as after a tail has begun. */
  readonly refresh: () => Promise<void>;
  /** Starts anew what has ended without being asked to. */
  readonly recover: () => Promise<void>;
  /** All isolates and objects begin anew, as they do in production now and then. */
  readonly evict: () => Promise<void>;
}

export const openAccountControl = (journal: Journal, fleet: Fleet, now: () => Date): AccountControl => {
  const { account, record } = journal;
  const inTurn = oneAtATime();
  const worker = (name: string): Worker => {
    const found = account().workers.get(name);
    if (!found) throw apiErrors.noWorker();
    return found;
  };
  const commit = async (...events: readonly Event[]): Promise<void> => {
    record(...events);
    await fleet.follow(account());
  };
  const startVersions = async (next: Account, versions: readonly WorkerVersion[]): Promise<void> => {
    try {
      await fleet.startVersions(next, versions);
    } catch (error) {
      if (!(error instanceof VersionStartupError)) throw error;
      throw new WorkerStartupError(
        new Map(
          versions.flatMap(({ worker, version }) => {
            const reason = error.reasons.get(version.id);
            return reason === undefined ? [] : [[worker.name, reason] as const];
          }),
        ),
      );
    }
  };
  /** Started before it is recorded, so that what is on disk has run once. */
  const commitVersions = async (events: readonly (Event & { type: "version" })[]): Promise<void> => {
    let next = account();
    const versions: WorkerVersion[] = [];
    for (const event of events) {
      const preview = previewVersion(next, event);
      next = preview.account;
      versions.push({ worker: preview.worker, version: event.version });
    }
    await startVersions(next, versions);
    await commit(...events);
  };

  const publish = async (publications: readonly Publication[]): Promise<Version[]> => {
    const events: (Event & { type: "version" })[] = [];
    let next = account();
    for (const it of publications) {
      const before = next.workers.get(it.worker)?.classes ?? [];
      const event = versionEvent(next, it, journal.storeBlob, now());
      next = applyEvent(next, event);
      await checkExports(it.upload, before, next.workers.get(it.worker)?.classes ?? []);
      events.push(event);
    }
    await commitVersions(events);
    return events.map(({ version }) => version);
  };

  return {
    account,
    worker,
    readBlob: journal.readBlob,
    publish: (publications) => inTurn(() => publish(publications)),
    revise: (name, revision) =>
      inTurn(async () => {
        const it = worker(name);
        const before = latestVersion(it);
        if (it.deployments[0] && !isFullyDeployed(it, before)) throw apiErrors.latestNotDeployed("setting");
        const upload = revisedUpload(before, revision, journal.readBlob);
        const [version] = await publish([{ worker: name, upload, deploy: true }]);
        return version as Version;
      }),
    deploy: (name, shares, annotations, force) =>
      inTurn(async () => {
        const it = worker(name);
        checkShares(it, shares);
        if (!force) checkSecrets(it, shares);
        const deployment: Deployment = {
          id: randomUUID(),
          createdOn: now().toISOString(),
          source: "deployment",
          annotations: { "workers/triggered_by": "deployment", ...annotations },
          versions: shares,
        };
        const event: Event = { type: "deployment", worker: name, deployment };
        const next = applyEvent(account(), event);
        // As an upload: an old version is started before it is live, and what throws at start does not come to be.
        const after = next.workers.get(name) ?? it;
        await startVersions(
          next,
          liveVersions(after).map((version) => ({ worker: after, version })),
        );
        await commit(event);
        return deployment;
      }),
    editSecrets: (name, edits, deploy, annotations) =>
      inTurn(async () => {
        const it = worker(name);
        const before = latestVersion(it);
        if (deploy && it.deployments[0] && !isFullyDeployed(it, before)) throw apiErrors.latestNotDeployed();
        for (const [secret, value] of Object.entries(edits))
          if (value !== null) checkName(secret);
          else if (!secretBindings(before.bindings).some((one) => one.name === secret))
            throw apiErrors.noSecret(secret);
        const version: Version = {
          ...before,
          id: randomUUID(),
          number: before.number + 1,
          createdOn: now().toISOString(),
          source: "secret",
          annotations,
          bindings: applySecretEdits(before, edits),
        };
        const deployment = deploy ? { deployment: fullDeployment(version, "secret", annotations, now()) } : {};
        await commitVersions([{ type: "version", worker: name, version, ...deployment }]);
        return version;
      }),
    changeSettings: (name, settings) =>
      inTurn(async () => {
        worker(name);
        for (const { pattern } of settings.routes ?? []) checkRoute(account(), name, pattern);
        await commit({ type: "settings", worker: name, settings });
        return worker(name);
      }),
    remove: (name, force) =>
      inTurn(async () => {
        worker(name);
        const users = workersBoundTo(account(), name);
        if (users.length > 0 && !force) throw apiErrors.referenced(name, users);
        await commit({ type: "delete", worker: name });
      }),
    addNamespace: (title, id = randomBytes(16).toString("hex")) =>
      inTurn(async () => {
        checkTitle(account(), title);
        await commit({ type: "namespace", namespace: { id, title } });
        return { id, title };
      }),
    renameNamespace: (id, title) =>
      inTurn(async () => {
        if (!account().namespaces.has(id)) throw apiErrors.noNamespace();
        checkTitle(account(), title);
        await commit({ type: "namespace", namespace: { id, title } });
        return { id, title };
      }),
    removeNamespace: (id) =>
      inTurn(async () => {
        if (!account().namespaces.has(id)) throw apiErrors.noNamespace();
        await commit({ type: "namespace-delete", id });
      }),
    refresh: () => inTurn(() => fleet.follow(account())),
    recover: () => inTurn(() => fleet.recover(account())),
    evict: () => inTurn(() => fleet.evict(account())),
  };
};

const isFullyDeployed = (worker: Worker, { id }: Version): boolean =>
  worker.deployments[0]?.versions.some((it) => it.version_id === id && it.percentage === 100) === true;

const applySecretEdits = ({ bindings }: Version, edits: SecretEdits): Version["bindings"] => {
  const conflict = bindings.find(
    (it) => it.type !== "secret_text" && edits[it.name] !== undefined && edits[it.name] !== null,
  );
  if (conflict) throw apiErrors.duplicateBinding(conflict.name);
  return [
    ...bindings.filter(({ name }) => !Object.hasOwn(edits, name)),
    ...Object.entries(edits).flatMap(([name, text]) =>
      text === null ? [] : [{ name, type: "secret_text" as const, text }],
    ),
  ];
};
