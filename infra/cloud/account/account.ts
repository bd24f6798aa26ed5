/** The state of an account, and how each recorded event changes it. */
import type { Binding } from "./bindings.ts";
import type { DnsRecord } from "./dns.ts";
import type { HeaderRule } from "./header-rules.ts";
import type { AccountLists } from "./lists.ts";
import type { ApiToken } from "./tokens.ts";

/** A stored module. Its bytes are in the blob of that digest. */
export interface Module {
  readonly name: string;
  /** `Script`: the single file of a Worker in the older format, which calls addEventListener. */
  readonly type: "ESModule" | "CommonJS" | "Text" | "Data" | "CompiledWasm" | "Script";
  readonly blob: string;
  readonly bytes: number;
}

/** Immutable: code, bindings and secrets. */
export interface Version {
  readonly id: string;
  /** Counts up from 1 for each Worker. */
  readonly number: number;
  readonly createdOn: string;
  /** The operation that made it: `upload` or `secret`. */
  readonly source: string;
  readonly mainModule: string;
  readonly modules: readonly Module[];
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly etag: string;
  /** Limits of a request, such as `cpu_ms`. */
  readonly limits: Readonly<Record<string, number>>;
  /** Workers that receive a trace of each of its requests. */
  readonly tailConsumers: readonly string[];
}

export interface Share {
  readonly version_id: string;
  /** 0 to 100, fractions allowed. */
  readonly percentage: number;
}

/** One or two versions that sum to 100. */
export interface Deployment {
  readonly id: string;
  readonly createdOn: string;
  readonly source: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly versions: readonly Share[];
}

/** A class of Durable Objects, which outlives the versions that implement it. */
export interface ObjectClass {
  /** Names its storage. */
  readonly id: string;
  readonly className: string;
  readonly sqlite: boolean;
}

export interface Route {
  readonly id: string;
  readonly pattern: string;
  readonly zoneName?: string | undefined;
}

/** Settings of a Worker whatever its version. */
export interface Settings {
  readonly subdomain: { readonly enabled: boolean; readonly previews_enabled: boolean };
  readonly routes: readonly Route[];
  readonly tags: readonly string[];
  readonly logpush: boolean;
  readonly observability: Readonly<Record<string, unknown>> | null;
}

export interface Worker extends Settings {
  readonly name: string;
  readonly tag: string;
  readonly createdOn: string;
  readonly classes: readonly ObjectClass[];
  readonly migrationTag?: string | undefined;
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** Newest first. */
  readonly deployments: readonly Deployment[];
}

export interface Namespace {
  readonly id: string;
  readonly title: string;
}

export interface Account extends AccountLists {
  readonly workers: ReadonlyMap<string, Worker>;
  readonly namespaces: ReadonlyMap<string, Namespace>;
}

/** A recorded change of an account. Each event is complete, so that none is applied in part. */
export type Event =
  | {
      readonly type: "version";
      readonly worker: string;
      /** The Worker's tag. Set only for its first version. */
      readonly tag?: string;
      readonly version: Version;
      /** Set where the version is deployed with its upload. */
      readonly deployment?: Deployment;
      readonly objects?: { readonly classes: readonly ObjectClass[]; readonly migrationTag: string };
    }
  | { readonly type: "deployment"; readonly worker: string; readonly deployment: Deployment }
  | { readonly type: "settings"; readonly worker: string; readonly settings: Partial<Settings> }
  | { readonly type: "delete"; readonly worker: string }
  | { readonly type: "namespace"; readonly namespace: Namespace }
  | { readonly type: "namespace-delete"; readonly id: string }
  | { readonly type: "header-rules"; readonly rules: readonly HeaderRule[] }
  | { readonly type: "tokens"; readonly tokens: readonly ApiToken[] }
  | { readonly type: "dns-records"; readonly records: readonly DnsRecord[] }
  /** A snapshot that replaces all events before it. */
  | ({
      readonly type: "account";
      readonly workers: readonly Worker[];
      readonly namespaces: readonly Namespace[];
    } & AccountLists);

export const emptyAccount: Account = { workers: new Map(), namespaces: new Map() };

/** The platform deploys none but the last hundred. */
const maxVersions = 100;
const maxDeployments = 100;

export const applyEvent = (account: Account, event: Event): Account => {
  switch (event.type) {
    case "account": {
      const { type: _, workers, namespaces, ...lists } = event;
      return {
        workers: new Map(workers.map((it) => [it.name, it])),
        namespaces: new Map(namespaces.map((it) => [it.id, it])),
        ...lists,
      };
    }
    case "header-rules":
      return { ...account, headerRules: event.rules };
    case "tokens":
      return { ...account, tokens: event.tokens };
    case "dns-records":
      return { ...account, dnsRecords: event.records };
    case "namespace":
      return { ...account, namespaces: new Map(account.namespaces).set(event.namespace.id, event.namespace) };
    case "namespace-delete":
      return { ...account, namespaces: withoutKey(account.namespaces, event.id) };
    case "delete":
      return { ...account, workers: withoutKey(account.workers, event.worker) };
    case "version":
      return withWorker(account, event.worker, withVersion(account.workers.get(event.worker), event));
    case "deployment":
      return updateWorker(account, event.worker, (it) => withDeployment(it, event.deployment));
    case "settings":
      return updateWorker(account, event.worker, (it) => ({ ...it, ...event.settings }));
  }
};

const withWorker = (account: Account, name: string, worker: Worker): Account => ({
  ...account,
  workers: new Map(account.workers).set(name, worker),
});

const updateWorker = (account: Account, name: string, change: (worker: Worker) => Worker): Account => {
  const worker = account.workers.get(name);
  return worker ? withWorker(account, name, change(worker)) : account;
};

const withoutKey = <K, V>(map: ReadonlyMap<K, V>, key: K): Map<K, V> => new Map([...map].filter(([it]) => it !== key));

const withVersion = (before: Worker | undefined, event: Event & { type: "version" }): Worker => {
  const { version, deployment, objects } = event;
  const worker: Worker = before ?? {
    name: event.worker,
    tag: event.tag ?? "",
    createdOn: version.createdOn,
    classes: [],
    versions: [],
    deployments: [],
    subdomain: { enabled: false, previews_enabled: false },
    routes: [],
    tags: [],
    logpush: false,
    observability: null,
  };
  const versions = [...worker.versions, version];
  const added = { ...worker, ...objects, versions: retainedVersions(versions, worker) };
  return deployment ? withDeployment(added, deployment) : added;
};

const withDeployment = (worker: Worker, deployment: Deployment): Worker => ({
  ...worker,
  deployments: [deployment, ...worker.deployments].slice(0, maxDeployments),
});

/** How many deployments the API lists. */
export const listedDeployments = 10;

/** The last hundred versions, and older ones that a listed deployment names. */
const retainedVersions = (versions: readonly Version[], worker: Worker): readonly Version[] => {
  if (versions.length <= maxVersions) return versions;
  const listed = worker.deployments.slice(0, listedDeployments);
  const live = new Set(listed.flatMap((it) => it.versions.map(({ version_id }) => version_id)));
  const from = versions.length - maxVersions;
  return versions.filter(({ id }, index) => index >= from || live.has(id));
};

/** The newest version. A Worker has at least one. */
export const latestVersion = ({ versions }: Worker): Version => versions.at(-1) as Version;

export const findVersion = (worker: Worker, id: string): Version | undefined =>
  worker.versions.find((it) => it.id === id);

/** The versions of the current deployment, those at 0 % included. */
export const liveVersions = (worker: Worker): Version[] =>
  (worker.deployments[0]?.versions ?? []).flatMap(({ version_id }) => findVersion(worker, version_id) ?? []);

/**
 * The version that runs a Worker's Durable Objects, since each object has one owner: the version with the largest share, of
 * two equal ones the newer. The platform would assign each object to one of the two by percentage.
 */
export const objectOwner = (worker: Worker): Version | undefined => {
  if (worker.classes.length === 0) return undefined;
  const shares = worker.deployments[0]?.versions ?? [];
  const percentOf = ({ id }: Version) => shares.find(({ version_id }) => version_id === id)?.percentage ?? 0;
  return liveVersions(worker).toSorted((a, b) => percentOf(b) - percentOf(a) || b.number - a.number)[0];
};

/** Workers whose live or newest version is bound to this one. */
export const workersBoundTo = ({ workers }: Account, name: string): string[] =>
  [...workers.values()]
    .filter((it) => it.name !== name)
    .filter((it) =>
      [...liveVersions(it), latestVersion(it)].some(({ bindings }) =>
        bindings.some(
          (one) =>
            (one.type === "service" && one.service === name) ||
            (one.type === "durable_object_namespace" && one.script_name === name),
        ),
      ),
    )
    .map((it) => it.name);
