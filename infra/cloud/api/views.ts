/** Views of the account's state in responses of the API. */
import { type Account, type Deployment, latestVersion, type Version, type Worker } from "../account/account.ts";
import { withoutSecretValue } from "../account/bindings.ts";

const author = { author_id: "00000000000000000000000000000000", author_email: "you@localhost" };

export const versionView = (version: Version) => ({
  id: version.id,
  number: version.number,
  metadata: {
    created_on: version.createdOn,
    modified_on: version.createdOn,
    source: "wrangler",
    ...author,
    has_preview: true,
  },
  annotations: { "workers/triggered_by": version.source, ...version.annotations },
  resources: {
    bindings: version.bindings.map(withoutSecretValue),
    script: { etag: version.etag, handlers: ["fetch"], last_deployed_from: "wrangler" },
    script_runtime: {
      compatibility_date: version.compatibilityDate,
      compatibility_flags: version.compatibilityFlags,
      usage_model: "standard",
      limits: version.limits,
    },
  },
  startup_time_ms: 1,
});

export const deploymentView = ({ id, createdOn, annotations, versions }: Deployment) => ({
  id,
  source: "wrangler",
  strategy: "percentage",
  ...author,
  created_on: createdOn,
  annotations,
  versions,
});

const isScript = ({ modules }: Version): boolean => modules.some(({ type }) => type === "Script");

export const scriptView = (worker: Worker) => {
  const { etag, compatibilityDate, compatibilityFlags, createdOn } = latestVersion(worker);
  return {
    id: worker.name,
    tag: worker.tag,
    tags: worker.tags,
    etag,
    handlers: ["fetch"],
    created_on: worker.createdOn,
    modified_on: createdOn,
    last_deployed_from: "wrangler",
    migration_tag: worker.migrationTag,
    compatibility_date: compatibilityDate,
    compatibility_flags: compatibilityFlags,
    usage_model: "standard",
    has_assets: false,
    has_modules: !isScript(latestVersion(worker)),
    logpush: worker.logpush,
    observability: worker.observability,
  };
};

export const settingsView = (worker: Worker) => {
  const version = latestVersion(worker);
  return {
    bindings: version.bindings.map(withoutSecretValue),
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    usage_model: "standard",
    limits: version.limits,
    tags: worker.tags,
    logpush: worker.logpush,
    observability: worker.observability,
    migration_tag: worker.migrationTag,
    tail_consumers: version.tailConsumers.map((service) => ({ service })),
    placement: {},
    annotations: version.annotations,
  };
};

export const objectsView = ({ workers }: Account) =>
  [...workers.values()].flatMap(({ name, classes }) =>
    classes.map(({ id, className, sqlite }) => ({
      id,
      name: `${name}_${className}`,
      script: name,
      class: className,
      use_sqlite: sqlite,
    })),
  );
