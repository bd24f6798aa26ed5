/** Builds an upload from an emitted Worker, equal to the one that wrangler makes of its configuration. */
import fs from "node:fs";
import path from "node:path";
import type { Publication } from "../cloud/account/publish.ts";
import type { Upload } from "../cloud/account/upload.ts";
import type { Emitted } from "../compiler/emit/emit.ts";

/** The part of a wrangler configuration that Postern writes. */
interface WranglerConfig {
  readonly main: string;
  readonly compatibility_date: string;
  readonly compatibility_flags: readonly string[];
  readonly routes?: readonly { readonly pattern: string; readonly zone_name: string }[];
  readonly vars?: Readonly<Record<string, string>>;
  readonly version_metadata?: { readonly binding: string };
  readonly services?: readonly {
    readonly binding: string;
    readonly service: string;
    readonly entrypoint?: string;
    readonly props?: Readonly<Record<string, unknown>>;
  }[];
  readonly kv_namespaces?: readonly { readonly binding: string; readonly id: string }[];
  readonly durable_objects?: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] };
  readonly analytics_engine_datasets?: readonly { readonly binding: string; readonly dataset: string }[];
  readonly tail_consumers?: readonly { readonly service: string }[];
  readonly migrations?: readonly { readonly tag: string; readonly new_sqlite_classes?: readonly string[] }[];
}

export const configOf = ({ folder }: Pick<Emitted, "folder">): WranglerConfig =>
  JSON.parse(fs.readFileSync(path.join(folder, "wrangler.json"), "utf8")) as WranglerConfig;

interface PublicationOptions {
  /** Values of secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Tag of the last applied migration. */
  readonly migrationTag?: string | undefined;
  /** Whether a Worker exists. Bindings to missing Workers are omitted; the front answers 503 for them. */
  readonly exists: (worker: string) => boolean;
}

export const publicationOf = (it: Emitted, { secrets, migrationTag, exists }: PublicationOptions): Publication => {
  const config = configOf(it);
  const modules = [config.main, "plan.js", "validators.js"].flatMap((name): Upload["modules"] => {
    const file = path.join(it.folder, name);
    return fs.existsSync(file) ? [{ name, type: "ESModule", content: fs.readFileSync(file) }] : [];
  });
  const steps = config.migrations ?? [];
  const pending = steps.slice(steps.findIndex(({ tag }) => tag === migrationTag) + 1);
  const last = pending.at(-1);
  return {
    worker: it.worker,
    deploy: true,
    upload: {
      modules,
      metadata: {
        main_module: config.main,
        compatibility_date: config.compatibility_date,
        compatibility_flags: [...config.compatibility_flags],
        bindings: bindingsOf(config, exists, [...it.secrets, ...it.generated], secrets),
        keep_bindings: [],
        annotations: { "workers/tag": tagOf(it) },
        limits: {},
        tail_consumers: (config.tail_consumers ?? []).filter(({ service }) => exists(service)),
        ...(last && {
          migrations: {
            new_tag: last.tag,
            ...(migrationTag !== undefined && { old_tag: migrationTag }),
            steps: pending.map(({ new_sqlite_classes }) => ({ new_sqlite_classes: [...(new_sqlite_classes ?? [])] })),
          },
        }),
      },
    },
  };
};

/** A version's tag: the digest of its build. The same tag means the same Worker. */
export const tagOf = ({ digest }: Pick<Emitted, "digest">): string => digest.slice(0, 16);

const bindingsOf = (
  {
    vars = {},
    version_metadata,
    services = [],
    kv_namespaces = [],
    durable_objects,
    analytics_engine_datasets = [],
  }: WranglerConfig,
  exists: PublicationOptions["exists"],
  names: readonly string[],
  values: PublicationOptions["secrets"],
): object[] => [
  ...Object.entries(vars).map(([name, text]) => ({ type: "plain_text", name, text })),
  ...(version_metadata ? [{ type: "version_metadata", name: version_metadata.binding }] : []),
  ...services
    .filter(({ service }) => exists(service))
    .map(({ binding, ...target }) => ({ type: "service", name: binding, ...target })),
  ...kv_namespaces.map(({ binding, id }) => ({ type: "kv_namespace", name: binding, namespace_id: id })),
  ...analytics_engine_datasets.map(({ binding, dataset }) => ({ type: "analytics_engine", name: binding, dataset })),
  ...(durable_objects?.bindings ?? []).map((it) => ({ type: "durable_object_namespace", ...it })),
  ...names.flatMap((name) =>
    Object.hasOwn(values, name) ? [{ type: "secret_text", name, text: values[name] as string }] : [],
  ),
];
