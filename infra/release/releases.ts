/** Reads the versions and deployments of a Worker from the platform. */

import type { Rollout } from "../../functions/control/model/rollout.ts";
import { type ApiAccess, accessOf, getWorkerResource, noWorkerCodes } from "./api.ts";
import type { Target } from "./target.ts";
import { WranglerError, wranglerJson } from "./wrangler.ts";

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly metadata: { readonly created_on: string; readonly author_email?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Deployment {
  readonly id: string;
  readonly created_on: string;
  readonly author_email?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
}

export interface Releases {
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** Newest first. */
  readonly deployments: readonly Deployment[];
}

/** @returns undefined if the Worker does not exist */
export const releasesOf = async (target: Target, worker: string): Promise<Releases | undefined> => {
  const access = accessOf(target);
  const found = await (access ? byToken(access, worker) : byWrangler(target, worker));
  return (
    found && {
      versions: found.versions.toSorted((a, b) => a.number - b.number),
      deployments: found.deployments.toSorted((a, b) => (a.created_on < b.created_on ? 1 : -1)),
    }
  );
};

const byWrangler = async (target: Target, worker: string): Promise<Releases | undefined> => {
  try {
    const [versions, deployments] = await Promise.all([
      wranglerJson<Version[]>(target, ["versions", "list", "--name", worker, "--json"]),
      wranglerJson<Deployment[]>(target, ["deployments", "list", "--name", worker, "--json"]),
    ]);
    return { versions, deployments };
  } catch (error) {
    if (error instanceof WranglerError && noWorkerCodes.includes(error.code ?? 0)) return undefined;
    throw error;
  }
};

/**
 * With a token in the shell, as in CI, the REST API is called directly, because a wrangler call takes a second of CPU.
 * Without a token, wrangler uses its own login.
 */
const byToken = async (access: ApiAccess, worker: string): Promise<Releases | undefined> => {
  const [versions, deployments] = await Promise.all([
    getWorkerResource<{ items: Version[] }>(access, worker, "versions?deployable=true"),
    getWorkerResource<{ deployments: Deployment[] }>(access, worker, "deployments"),
  ]);
  return versions && { versions: versions.items, deployments: deployments?.deployments ?? [] };
};

interface VersionView {
  readonly resources: { readonly bindings: readonly { readonly type: string; readonly service?: string }[] };
}

/** Workers that a version is bound to. */
export const servicesOf = async (target: Target, worker: string, version: string): Promise<string[]> => {
  const access = accessOf(target);
  const view = access
    ? await getWorkerResource<VersionView>(access, worker, `versions/${version}`)
    : await wranglerJson<VersionView>(target, ["versions", "view", version, "--name", worker, "--json"]);
  return (view?.resources.bindings ?? []).flatMap(({ type, service }) =>
    type === "service" && service ? [service] : [],
  );
};

/** The digest of a version's build: its tag, or the tag of the version whose code a change of a secret reused. */
export const digestOf = ({ versions }: Releases, id: string): string | undefined => {
  let index = versions.findIndex((it) => it.id === id);
  while (versions[index]?.annotations?.["workers/triggered_by"] === "secret") index--;
  return versions[index]?.annotations?.["workers/tag"];
};

/** Shares of the current deployment, the largest first. */
export const sharesOf = ({ deployments }: Releases): Deployment["versions"] =>
  (deployments[0]?.versions ?? []).toSorted((a, b) => b.percentage - a.percentage);

/** The newest version with this digest. */
export const versionOf = (releases: Releases, digest: string): Version | undefined =>
  releases.versions.findLast(({ id }) => digestOf(releases, id) === digest);

/**
 * Where a rollback may lead, the best first. Out of a split: the versions that had all requests before it. Else those that
 * had all requests before the current one. The platform lists few deployments, so rollouts' stable versions follow.
 *
 * @param rollouts newest first
 */
export const rollbackCandidates = (
  worker: string,
  releases: Releases,
  rollouts: readonly Pick<Rollout, "subjects">[] = [],
): string[] => {
  const [current] = sharesOf(releases);
  if (!current) return [];
  const isSplit = (releases.deployments[0]?.versions.length ?? 0) > 1 && current.percentage < 100;
  const whole = releases.deployments.flatMap(({ versions }) => versions.filter(({ percentage }) => percentage === 100));
  const stable = rollouts.flatMap(({ subjects }) => subjects.filter((it) => it.worker === worker));
  const ids = [...new Set([...whole.map(({ version_id }) => version_id), ...stable.map((it) => it.stable)])];
  return isSplit ? ids : ids.filter((id) => id !== current.version_id);
};
