/** Operations that make a version of a Worker, or decide which of its versions take how many requests. */
import { randomUUID } from "node:crypto";
import {
  applyEvent,
  type Deployment,
  type Event,
  latestVersion,
  liveVersions,
  type Share,
  type Version,
  type Worker,
} from "../account/account.ts";
import { apiErrors } from "../account/api-errors.ts";
import { checkName, secretBindings } from "../account/bindings.ts";
import { checkSecrets, checkShares } from "../account/checks.ts";
import { checkExports } from "../account/exports.ts";
import { fullDeployment, type Publication, type Revision, revisedUpload, versionEvent } from "../account/publish.ts";
import type { Journal } from "../storage/journal.ts";
import type { Commits, VersionEvent } from "./commits.ts";

export interface SecretEdits {
  /** A value, or null to remove the secret. */
  readonly [name: string]: string | null;
}

export interface VersionOperations {
  /**
   * Uploads several Workers in order, and starts them together. Nothing is recorded if one fails.
   * @throws ApiError, WorkerStartupError
   */
  readonly publish: (publications: readonly Publication[]) => Promise<readonly Version[]>;
  /** @param force also where a rollback restores secrets that have changed since */
  readonly deploy: (
    name: string,
    shares: readonly Share[],
    annotations: Readonly<Record<string, string>>,
    force: boolean,
  ) => Promise<Deployment>;
  /** @param deploy puts the new version live, which needs the version before to have all requests */
  readonly editSecrets: (
    name: string,
    edits: SecretEdits,
    deploy: boolean,
    annotations: Readonly<Record<string, string>>,
  ) => Promise<Version>;
  /**
   * Derives a version from the newest one, which must have all requests, and deploys it.
   * @throws ApiError, WorkerStartupError
   */
  readonly revise: (name: string, revision: Revision) => Promise<Version>;
}

export const versionOperations = (commits: Commits, journal: Journal, now: () => Date): VersionOperations => {
  const publish = publishTo(commits, journal, now);
  return {
    publish,
    revise: async (name, revision) => {
      const worker = commits.worker(name);
      const before = latestVersion(worker);
      if (worker.deployments[0] && !isFullyDeployed(worker, before)) throw apiErrors.latestNotDeployed("setting");
      const upload = revisedUpload(before, revision, journal.readBlob);
      const [version] = await publish([{ worker: name, upload, deploy: true }]);
      return version as Version;
    },
    deploy: deployTo(commits, now),
    editSecrets: async (name, edits, deploy, annotations) => {
      const worker = commits.worker(name);
      const before = latestVersion(worker);
      if (deploy && worker.deployments[0] && !isFullyDeployed(worker, before)) throw apiErrors.latestNotDeployed();
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
      await commits.commitVersions([{ type: "version", worker: name, version, ...deployment }]);
      return version;
    },
  };
};

const publishTo =
  (commits: Commits, journal: Journal, now: () => Date) =>
  async (publications: readonly Publication[]): Promise<Version[]> => {
    const events: VersionEvent[] = [];
    let next = commits.account();
    for (const it of publications) {
      const before = next.workers.get(it.worker)?.classes ?? [];
      const event = versionEvent(next, it, journal.storeBlob, now());
      next = applyEvent(next, event);
      await checkExports(it.upload, before, next.workers.get(it.worker)?.classes ?? []);
      events.push(event);
    }
    await commits.commitVersions(events);
    return events.map(({ version }) => version);
  };

const deployTo =
  (commits: Commits, now: () => Date): VersionOperations["deploy"] =>
  async (name, shares, annotations, force) => {
    const worker = commits.worker(name);
    checkShares(worker, shares);
    if (!force) checkSecrets(worker, shares);
    const deployment: Deployment = {
      id: randomUUID(),
      createdOn: now().toISOString(),
      source: "deployment",
      annotations: { "workers/triggered_by": "deployment", ...annotations },
      versions: shares,
    };
    const event: Event = { type: "deployment", worker: name, deployment };
    const next = applyEvent(commits.account(), event);
    const after = next.workers.get(name) ?? worker;
    // An old version starts before it is live, as an upload does. A version that throws at start is not deployed.
    await commits.startVersions(
      next,
      liveVersions(after).map((version) => ({ worker: after, version })),
    );
    await commits.commit(event);
    return deployment;
  };

const isFullyDeployed = (worker: Worker, { id }: Version): boolean =>
  worker.deployments[0]?.versions.some((it) => it.version_id === id && it.percentage === 100) === true;

/** @throws ApiError for a name that is another binding's or no name, and for a secret that is not there to be removed */
const applySecretEdits = ({ bindings }: Version, edits: SecretEdits): Version["bindings"] => {
  for (const [name, value] of Object.entries(edits))
    if (value !== null) checkName(name);
    else if (!secretBindings(bindings).some((it) => it.name === name)) throw apiErrors.noSecret(name);
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
