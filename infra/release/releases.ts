/** The versions and deployments of a Worker, as the platform tells of them. */

import type { Target } from "./target.ts";
import { json, WranglerError } from "./wrangler.ts";

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

/** @returns undefined where there is no such Worker */
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

const noWorker = [10007, 10090];

const byWrangler = async (target: Target, worker: string): Promise<Releases | undefined> => {
  try {
    const [versions, deployments] = await Promise.all([
      json<Version[]>(target, ["versions", "list", "--name", worker, "--json"]),
      json<Deployment[]>(target, ["deployments", "list", "--name", worker, "--json"]),
    ]);
    return { versions, deployments };
  } catch (error) {
    if (error instanceof WranglerError && noWorker.includes(error.code ?? 0)) return undefined;
    throw error;
  }
};

interface Access {
  readonly api: string;
  readonly token: string;
  readonly account: string;
}

const accessOf = ({ variables }: Target): Access | undefined => {
  const at = { ...process.env, ...variables };
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account } = at;
  const api = at.CLOUDFLARE_API_BASE_URL ?? "https://api.cloudflare.com/client/v4";
  return token && account ? { api, token, account } : undefined;
};

/**
 * Wrangler takes a second of a processor for each question; with a token in the shell, as in CI, the same two calls are
 * made here. Without one, wrangler has its own way to log in.
 */
const byToken = async (access: Access, worker: string): Promise<Releases | undefined> => {
  const [versions, deployments] = await Promise.all([
    ask<{ items: Version[] }>(access, worker, "versions?deployable=true"),
    ask<{ deployments: Deployment[] }>(access, worker, "deployments"),
  ]);
  return versions && { versions: versions.items, deployments: deployments?.deployments ?? [] };
};

/** @returns undefined where there is no such Worker */
const ask = async <T>({ api, token, account }: Access, worker: string, what: string): Promise<T | undefined> => {
  const url = `${api}/accounts/${account}/workers/scripts/${worker}/${what}`;
  const response = await reached(url, { headers: { authorization: `Bearer ${token}` } });
  const { success, result, errors } = (await response.json()) as Answer<T>;
  if (success) return result;
  if (errors.some(({ code }) => noWorker.includes(code))) return undefined;
  throw new Error(`${worker}: ${errors.map(({ code, message }) => `${message} [code: ${code}]`).join("; ")}`);
};

interface View {
  readonly resources: { readonly bindings: readonly { readonly type: string; readonly service?: string }[] };
}

/** Workers that a version is bound to. */
export const servicesOf = async (target: Target, worker: string, version: string): Promise<string[]> => {
  const access = accessOf(target);
  const view = access
    ? await ask<View>(access, worker, `versions/${version}`)
    : await json<View>(target, ["versions", "view", version, "--name", worker, "--json"]);
  return (view?.resources.bindings ?? []).flatMap(({ type, service }) =>
    type === "service" && service ? [service] : [],
  );
};

interface Answer<T> {
  readonly success: boolean;
  readonly result: T;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

/** @throws where nothing answers, with the remedy */
export const reached = async (url: string, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(patienceMs) });
  } catch (error) {
    const { origin, hostname } = new URL(url);
    const remedy =
      hostname === "127.0.0.1" || hostname === "localhost" ? "; start the local cloud: npx postern cloud" : "";
    throw new Error(`${origin} does not answer (${(error as Error).message})${remedy}`);
  }
};

const patienceMs = 30_000;

/** What a version was built from: its tag, or that of the code which an edit of a secret took over. */
export const digestOf = ({ versions }: Releases, id: string): string | undefined => {
  let index = versions.findIndex((it) => it.id === id);
  while (versions[index]?.annotations?.["workers/triggered_by"] === "secret") index--;
  return versions[index]?.annotations?.["workers/tag"];
};

/** Shares of the current deployment, the largest first. */
export const sharesOf = ({ deployments }: Releases): Deployment["versions"] =>
  (deployments[0]?.versions ?? []).toSorted((a, b) => b.percentage - a.percentage);

/** The newest version that was built from this. */
export const versionOf = (releases: Releases, digest: string): Version | undefined =>
  releases.versions.findLast(({ id }) => digestOf(releases, id) === digest);

/**
 * Where a rollback leads: out of a split to the version that had most of the requests before it, else to the one that had
 * all of them before the current one.
 */
export const before = (releases: Releases): string | undefined => {
  const [current] = sharesOf(releases);
  if (!current) return undefined;
  if ((releases.deployments[0]?.versions.length ?? 0) > 1 && current.percentage < 100) return stableOf(releases);
  const wholly = releases.deployments.flatMap(({ versions }) =>
    versions.filter(({ percentage }) => percentage === 100),
  );
  return wholly.find(({ version_id }) => version_id !== current.version_id)?.version_id;
};

/** The last one that had all requests. */
const stableOf = ({ deployments }: Releases): string | undefined =>
  deployments.flatMap(({ versions }) => versions.filter(({ percentage }) => percentage === 100))[0]?.version_id;
