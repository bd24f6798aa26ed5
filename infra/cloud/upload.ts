/** Reads an upload: a form with a `metadata` part and one part a module, as wrangler sends it. */
import * as z from "zod";
import type { Module } from "./account.ts";
import { faults } from "./faults.ts";

const texts = z.record(z.string(), z.string());

const migrationSteps = {
  new_classes: z.array(z.string()).optional(),
  new_sqlite_classes: z.array(z.string()).optional(),
  renamed_classes: z.array(z.strictObject({ from: z.string(), to: z.string() })).optional(),
  deleted_classes: z.array(z.string()).optional(),
};

/** A single step has its lists at the top; several stand under `steps`. */
const migrations = z.strictObject({
  new_tag: z.string(),
  old_tag: z.string().optional(),
  steps: z.array(z.strictObject(migrationSteps)).optional(),
  ...migrationSteps,
});
export type Migrations = z.output<typeof migrations>;

const metadata = z.strictObject({
  main_module: z.string(),
  bindings: z.array(z.unknown()).default([]),
  compatibility_date: z.iso.date().optional(),
  compatibility_flags: z.array(z.string()).default([]),
  keep_bindings: z.array(z.string()).default([]),
  annotations: texts.default({}),
  migrations: migrations.optional(),
  limits: z.strictObject({ cpu_ms: z.number().optional(), subrequests: z.number().optional() }).default({}),
  tail_consumers: z.array(z.looseObject({ service: z.string() })).nullish(),
  tags: z.array(z.string()).nullish(),
  logpush: z.boolean().optional(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  usage_model: z.string().optional(),
  // What the project is made of; the platform shows it, and nothing goes by it.
  package_dependencies: z.unknown().optional(),
  placement: z.looseObject({}).nullish(),
  code_update_strategy: z.looseObject({}).optional(),
});
export type Metadata = z.output<typeof metadata>;

export interface Upload {
  readonly metadata: Metadata;
  readonly modules: readonly (Pick<Module, "name" | "type"> & { readonly content: Uint8Array })[];
}

/** By the media type of the part. */
const moduleTypes: Readonly<Record<string, Module["type"]>> = {
  "application/javascript+module": "ESModule",
  "text/javascript+module": "ESModule",
  "application/javascript": "CommonJS",
  "text/javascript": "CommonJS",
  "text/plain": "Text",
  "application/octet-stream": "Data",
  "application/wasm": "CompiledWasm",
};

/** As the platform limits a Worker on a paid plan, before compression. */
const mostBytes = 64 * 1024 * 1024;
/** A form may be as large as that and its frame. */
export const mostFormBytes = mostBytes + 1024 * 1024;

/** @throws CloudFault */
export const readUpload = async (request: Request): Promise<Upload> => {
  const form = await request.formData().catch(() => {
    throw faults.malformed("the body is no multipart form");
  });
  const parts = [...form.entries()].filter((it): it is [string, File] => typeof it[1] !== "string");
  const described = form.get("metadata");
  if (described === null) throw faults.malformed("the form has no part named metadata");
  const given = metadataIn(typeof described === "string" ? described : await described.text());
  const modules = await Promise.all(
    parts
      .filter(([name, { type }]) => name !== "metadata" && mediaType(type) !== "application/source-map")
      .map(async ([name, part]) => {
        const type = moduleTypes[mediaType(part.type)];
        if (!type) throw faults.badModule(name, part.type);
        return { name, type, content: new Uint8Array(await part.arrayBuffer()) };
      }),
  );
  if (modules.reduce((sum, { content }) => sum + content.length, 0) > mostBytes)
    throw faults.tooLarge("Your Worker", "64 MiB");
  const main = modules.find(({ name }) => name === given.main_module);
  if (!main) throw faults.noModule(given.main_module);
  if (main.type !== "ESModule")
    throw faults.badModule(main.name, "the main module is a JavaScript module; service workers are not run here");
  return { metadata: given, modules };
};

const mediaType = (type: string): string => type.split(";")[0]?.trim().toLowerCase() ?? "";

const metadataIn = (text: string): Metadata => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw faults.malformed("the part metadata is no JSON");
  }
  const it = metadata.safeParse(value);
  if (!it.success)
    throw faults.malformed(
      it.error.issues.map(({ path, message }) => `metadata.${path.join(".")}: ${message}`).join("; "),
    );
  return it.data;
};
