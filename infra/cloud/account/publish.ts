/** Makes a version of an upload: checks it against the account and stores its modules. */
import { createHash, randomUUID } from "node:crypto";
import { compatibilityDate as latestDate } from "../../compiler/lower/platform.ts";
import {
  type Account,
  applyEvent,
  type Event,
  latestVersion,
  type ObjectClass,
  type Version,
  type Worker,
} from "./account.ts";
import { apiErrors } from "./api-errors.ts";
import { type Binding, parseBindings } from "./bindings.ts";
import { applyMigrations } from "./migrations.ts";
import type { Metadata, Upload } from "./upload.ts";

export interface Publication {
  readonly worker: string;
  readonly upload: Upload;
  /** Whether it is deployed at once, with all requests. */
  readonly deploy: boolean;
}

/** The parts of a version that are replaced. The rest is that of the version before. */
export type Revision = {
  readonly [K in keyof Upload["metadata"]]?: Upload["metadata"][K] | undefined;
} & { readonly modules?: Upload["modules"] };

/** Names that the platform accepts. */
const workerName = /^[a-z0-9_][a-z0-9_-]{0,62}$/;

/**
 * The compatibility date of an upload without one:
 * https://developers.cloudflare.com/workers/configuration/compatibility-dates/
 */
const oldestDate = "2021-11-02";

/** The platform accepts dates up to today, this runtime dates up to its own. */
const checkDate = (date: string, now: Date): void => {
  if (date > now.toISOString().slice(0, 10)) throw apiErrors.futureDate(date);
  if (date > latestDate) throw apiErrors.unsupportedDate(date, latestDate);
};

/**
 * @param storeBlob stores bytes and returns their digest
 * @throws ApiError
 */
export const versionEvent = (
  account: Account,
  { worker: name, upload, deploy }: Publication,
  storeBlob: (bytes: Uint8Array) => string,
  now: Date,
): Event & { type: "version" } => {
  if (!workerName.test(name)) throw apiErrors.badName(name);
  const before = account.workers.get(name);
  const { metadata } = upload;
  if (metadata.migrations && !deploy) throw apiErrors.migrationInVersion();
  const previous = before && latestVersion(before);
  const bindings = parseBindings(metadata.bindings, metadata.keep_bindings, previous?.bindings ?? []);
  const objects = metadata.migrations && applyMigrations(before, metadata.migrations);
  const date = metadata.compatibility_date ?? oldestDate;
  checkDate(date, now);
  checkTargets(account, name, bindings, objects?.classes ?? before?.classes ?? []);
  for (const { service } of metadata.tail_consumers ?? [])
    if (!account.workers.has(service)) throw apiErrors.noService("tail_consumers", service);
  const modules = upload.modules.map(({ name: module, type, content }) => ({
    name: module,
    type,
    blob: storeBlob(content),
    bytes: content.length,
  }));
  const version: Version = {
    id: randomUUID(),
    number: (previous?.number ?? 0) + 1,
    createdOn: now.toISOString(),
    source: "upload",
    mainModule: metadata.main_module,
    modules,
    bindings,
    compatibilityDate: date,
    compatibilityFlags: metadata.compatibility_flags,
    annotations: metadata.annotations,
    etag: etagOf(modules.map(({ blob }) => blob)),
    limits: metadata.limits as Record<string, number>,
    tailConsumers: (metadata.tail_consumers ?? []).map(({ service }) => service),
  };
  return {
    type: "version",
    worker: name,
    ...(!before && { tag: randomUUID().replaceAll("-", "") }),
    version,
    ...(deploy && { deployment: fullDeployment(version, "upload", metadata.annotations, now) }),
    ...(objects && { objects }),
  };
};

/** A deployment of one version. */
export const fullDeployment = (
  { id }: Version,
  source: string,
  annotations: Readonly<Record<string, string>>,
  now: Date,
) => ({
  id: randomUUID(),
  createdOn: now.toISOString(),
  source,
  annotations: { "workers/triggered_by": source, ...annotations },
  versions: [{ version_id: id, percentage: 100 }],
});

const etagOf = (blobs: readonly string[]): string => createHash("sha256").update(blobs.join()).digest("hex");

/** @throws ApiError if the target of a binding is missing */
const checkTargets = (
  account: Account,
  name: string,
  bindings: readonly Binding[],
  own: readonly ObjectClass[],
): void => {
  for (const it of bindings)
    if (it.type === "kv_namespace" && !account.namespaces.has(it.namespace_id))
      throw apiErrors.namespaceNotFound(it.namespace_id);
    else if (it.type === "service" && it.service !== name && !account.workers.has(it.service))
      throw apiErrors.noService(it.name, it.service);
    else if (it.type === "durable_object_namespace") {
      const host = it.script_name ?? name;
      const classes = host === name ? own : account.workers.get(host)?.classes;
      if (!classes) throw apiErrors.noService(it.name, host);
      if (!classes.some(({ className }) => className === it.class_name)) throw apiErrors.noClass(it.class_name);
    }
};

/** The account and the Worker as they will be with the version. */
export const previewVersion = (
  account: Account,
  event: Event & { type: "version" },
): { account: Account; worker: Worker } => {
  const next = applyEvent(account, event);
  return { account: next, worker: next.workers.get(event.worker) as Worker };
};

/**
 * The upload that would make a version, with parts of it replaced. A binding with only a name and a type is unchanged.
 */
export const revisedUpload = (
  version: Version,
  { modules, bindings, ...metadata }: Revision,
  readBlob: (blob: string) => Uint8Array,
): Upload => ({
  metadata: {
    main_module: version.mainModule,
    compatibility_date: version.compatibilityDate,
    compatibility_flags: [...version.compatibilityFlags],
    keep_bindings: [],
    annotations: {},
    limits: version.limits,
    tail_consumers: version.tailConsumers.map((service) => ({ service })),
    ...(Object.fromEntries(Object.entries(metadata).filter(([, it]) => it !== undefined)) as Partial<Metadata>),
    bindings: (bindings ?? [...version.bindings]).map((it) => unchangedBinding(it, version.bindings) ?? it),
  },
  modules: modules ?? version.modules.map(({ name, type, blob }) => ({ name, type, content: readBlob(blob) })),
});

const unchangedBinding = (input: unknown, bindings: readonly Binding[]): Binding | undefined => {
  const { name, type, ...others } = (input ?? {}) as Partial<Binding>;
  if (Object.keys(others).length > 0) return undefined;
  return bindings.find((it) => it.name === name && it.type === type);
};
