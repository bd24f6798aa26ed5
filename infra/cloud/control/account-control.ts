/** What can be done to an account, one thing at a time: checked, started, recorded, and only then live. */

import { randomBytes, randomUUID } from "node:crypto";
import { oneAtATime } from "../../../functions/control/model/one-at-a-time.ts";
import {
  type Account,
  applied,
  boundTo,
  type Deployment,
  type Event,
  latestVersion,
  liveVersions,
  type Namespace,
  type Settings,
  type Share,
  type Version,
  type Worker,
} from "../account/account.ts";
import { checkName, secretsIn } from "../account/bindings.ts";
import { checkRoute, checkSecrets, checkShares, checkTitle } from "../account/checks.ts";
import { checkExports } from "../account/exports.ts";
import { faults, ThrewAtStart } from "../account/api-errors.ts";
import { foreseen, type Publication, type Revision, revised, versionEvent, wholly } from "../account/publish.ts";
import type { Fleet } from "../edge/fleet.ts";
import { StartupError } from "../edge/machine.ts";
import type { Held } from "../edge/options.ts";
import type { Journal } from "../storage/journal.ts";

export interface SecretEdits {
  /** A value, or null to take the secret away. */
  readonly [name: string]: string | null;
}

export interface Control {
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
  readonly read: (blob: string) => Buffer;
  readonly change: (name: string, settings: Partial<Settings>) => Promise<Worker>;
  /** @param force also where others are bound to it */
  readonly remove: (name: string, force: boolean) => Promise<void>;
  readonly addNamespace: (title: string, id?: string) => Promise<Namespace>;
  readonly renameNamespace: (id: string, title: string) => Promise<Namespace>;
  readonly removeNamespace: (id: string) => Promise<void>;
  /** Tells the fleet anew, such as after a tail has begun. */
  readonly refresh: () => Promise<void>;
  /** Starts anew what has ended without being asked to. */
  readonly mend: () => Promise<void>;
  /** All isolates and objects begin anew, as they do in production now and then. */
  readonly evict: () => Promise<void>;
}

export const openControl = (journal: Journal, fleet: Fleet, now: () => Date): Control => {
  const { account, record } = journal;
  const inTurn = oneAtATime();
  const worker = (name: string): Worker => {
    const found = account().workers.get(name);
    if (!found) throw faults.noWorker();
    return found;
  };
  const put = async (...events: readonly Event[]): Promise<void> => {
    record(...events);
    await fleet.follow(account());
  };
  const admit = async (next: Account, held: readonly Held[]): Promise<void> => {
    try {
      await fleet.admit(next, held);
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      throw new ThrewAtStart(
        new Map(
          held.flatMap(({ worker, version }) => {
            const reason = error.reasons.get(version.id);
            return reason === undefined ? [] : [[worker.name, reason] as const];
          }),
        ),
      );
    }
  };
  /** Started before it is recorded, so that what is on disk has run once. */
  const putVersions = async (events: readonly (Event & { type: "version" })[]): Promise<void> => {
    let next = account();
    const held: Held[] = [];
    for (const event of events) {
      const seen = foreseen(next, event);
      next = seen.account;
      held.push({ worker: seen.worker, version: event.version });
    }
    await admit(next, held);
    await put(...events);
  };

  const publish = async (publications: readonly Publication[]): Promise<Version[]> => {
    const events: (Event & { type: "version" })[] = [];
    let next = account();
    for (const it of publications) {
      const before = next.workers.get(it.worker)?.classes ?? [];
      const event = versionEvent(next, it, journal.keep, now());
      next = applied(next, event);
      await checkExports(it.upload, before, next.workers.get(it.worker)?.classes ?? []);
      events.push(event);
    }
    await putVersions(events);
    return events.map(({ version }) => version);
  };

  return {
    account,
    worker,
    read: journal.read,
    publish: (publications) => inTurn(() => publish(publications)),
    revise: (name, revision) =>
      inTurn(async () => {
        const it = worker(name);
        const before = latestVersion(it);
        if (it.deployments[0] && !isWhollyLive(it, before)) throw faults.latestNotDeployed("setting");
        const upload = revised(before, revision, journal.read);
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
        const next = applied(account(), event);
        // As an upload: an old version is started before it is live, and what throws at start does not come to be.
        const after = next.workers.get(name) ?? it;
        await admit(
          next,
          liveVersions(after).map((version) => ({ worker: after, version })),
        );
        await put(event);
        return deployment;
      }),
    editSecrets: (name, edits, deploy, annotations) =>
      inTurn(async () => {
        const it = worker(name);
        const before = latestVersion(it);
        if (deploy && it.deployments[0] && !isWhollyLive(it, before)) throw faults.latestNotDeployed();
        for (const [secret, value] of Object.entries(edits))
          if (value !== null) checkName(secret);
          else if (!secretsIn(before.bindings).some((one) => one.name === secret)) throw faults.noSecret(secret);
        const version: Version = {
          ...before,
          id: randomUUID(),
          number: before.number + 1,
          createdOn: now().toISOString(),
          source: "secret",
          annotations,
          bindings: withSecrets(before, edits),
        };
        const deployment = deploy ? { deployment: wholly(version, "secret", annotations, now()) } : {};
        await putVersions([{ type: "version", worker: name, version, ...deployment }]);
        return version;
      }),
    change: (name, settings) =>
      inTurn(async () => {
        worker(name);
        for (const { pattern } of settings.routes ?? []) checkRoute(account(), name, pattern);
        await put({ type: "settings", worker: name, settings });
        return worker(name);
      }),
    remove: (name, force) =>
      inTurn(async () => {
        worker(name);
        const users = boundTo(account(), name);
        if (users.length > 0 && !force) throw faults.referenced(name, users);
        await put({ type: "delete", worker: name });
      }),
    addNamespace: (title, id = randomBytes(16).toString("hex")) =>
      inTurn(async () => {
        checkTitle(account(), title);
        await put({ type: "namespace", namespace: { id, title } });
        return { id, title };
      }),
    renameNamespace: (id, title) =>
      inTurn(async () => {
        if (!account().namespaces.has(id)) throw faults.noNamespace();
        checkTitle(account(), title);
        await put({ type: "namespace", namespace: { id, title } });
        return { id, title };
      }),
    removeNamespace: (id) =>
      inTurn(async () => {
        if (!account().namespaces.has(id)) throw faults.noNamespace();
        await put({ type: "namespace-delete", id });
      }),
    refresh: () => inTurn(() => fleet.follow(account())),
    mend: () => inTurn(() => fleet.mend(account())),
    evict: () => inTurn(() => fleet.evict(account())),
  };
};

const isWhollyLive = (worker: Worker, { id }: Version): boolean =>
  worker.deployments[0]?.versions.some((it) => it.version_id === id && it.percentage === 100) === true;

const withSecrets = ({ bindings }: Version, edits: SecretEdits): Version["bindings"] => {
  const taken = bindings.find(
    (it) => it.type !== "secret_text" && edits[it.name] !== undefined && edits[it.name] !== null,
  );
  if (taken) throw faults.twice(taken.name);
  return [
    ...bindings.filter(({ name }) => !Object.hasOwn(edits, name)),
    ...Object.entries(edits).flatMap(([name, text]) =>
      text === null ? [] : [{ name, type: "secret_text" as const, text }],
    ),
  ];
};
