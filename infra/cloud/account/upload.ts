/** Reads an upload: a form with a `metadata` part and a part for each module. */
import * as z from "zod";
import type { Module } from "./account.ts";
import { apiErrors } from "./api-errors.ts";
import { readFormFiles, readFormValue } from "./form.ts";

const texts = z.record(z.string(), z.string());

const migrationSteps = {
  new_classes: z.array(z.string()).optional(),
  new_sqlite_classes: z.array(z.string()).optional(),
  renamed_classes: z.array(z.strictObject({ from: z.string(), to: z.string() })).optional(),
  deleted_classes: z.array(z.string()).optional(),
};

/** A single step has its lists at the top level. Several are under `steps`. */
export const migrations = z.strictObject({
  new_tag: z.string(),
  old_tag: z.string().optional(),
  steps: z.array(z.strictObject(migrationSteps)).optional(),
  ...migrationSteps,
});
export type Migrations = z.output<typeof migrations>;

/** A form has texts only. */
export const flag = z.union([z.boolean(), z.stringbool({ truthy: ["true"], falsy: ["false"] })]);
const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);

export const limits = z.strictObject({ cpu_ms: count.optional(), subrequests: count.optional() });
export const tailConsumers = z.array(z.looseObject({ service: z.string() }));
export const date = z.iso.date();

const metadata = z.strictObject({
  main_module: z.string().optional(),
  /** A script instead of a main module: the older of the two formats, which calls addEventListener. */
  body_part: z.string().optional(),
  bindings: z.array(z.unknown()).default([]),
  compatibility_date: date.optional(),
  compatibility_flags: z.array(z.string()).default([]),
  // Secrets are kept by default: older clients do not send this.
  keep_bindings: z.array(z.string()).default(["secret_text", "secret_key"]),
  annotations: texts.default({}),
  migrations: migrations.optional(),
  limits: limits.default({}),
  tail_consumers: tailConsumers.nullish(),
  tags: z.array(z.string()).nullish(),
  logpush: flag.optional(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  usage_model: z.string().optional(),
  // The platform shows it. It has no effect.
  package_dependencies: z.unknown().optional(),
  placement: z.looseObject({}).nullish(),
  code_update_strategy: z.looseObject({}).optional(),
  // Of static assets, which are unsupported.
  keep_assets: flag.optional(),
});
export type Metadata = Omit<z.output<typeof metadata>, "main_module" | "body_part"> & {
  /** The entry of the Worker. */
  readonly main_module: string;
};

export interface Upload {
  readonly metadata: Metadata;
  readonly modules: readonly (Pick<Module, "name" | "type"> & { readonly content: Uint8Array })[];
}

/** By the media type of a part. */
const moduleTypes: Readonly<Record<string, Module["type"]>> = {
  "application/javascript+module": "ESModule",
  "text/javascript+module": "ESModule",
  "application/javascript": "CommonJS",
  "text/javascript": "CommonJS",
  "text/plain": "Text",
  "application/octet-stream": "Data",
  "application/wasm": "CompiledWasm",
};

/** The platform's limit of a Worker on a paid plan, before compression. */
const maxBytes = 64 * 1024 * 1024;
/** The same with the overhead of a form. */
export const maxFormBytes = maxBytes + 1024 * 1024;

export const readForm = (request: Request): Promise<FormData> =>
  request.formData().catch(() => {
    throw apiErrors.malformed("the body is no multipart form");
  });

/**
 * @param main the entry, where the metadata does not name it
 * @throws ApiError
 */
export const readUpload = async (request: Request, main: EntryPart = {}): Promise<Upload> => {
  // A script as the whole body, as `curl --data-binary @worker.js -H 'Content-Type: application/javascript'` sends it.
  if (["application/javascript", "text/javascript"].includes(mediaType(request.headers.get("content-type") ?? "")))
    return parseUpload({ body_part: "worker.js" }, [
      [
        "worker.js",
        new File([new Uint8Array(await request.arrayBuffer())], "worker.js", { type: "application/javascript" }),
      ],
    ]);
  const form = await readForm(request);
  const input = (await readFormValue(form, "metadata")) ?? (Object.keys(main).length > 0 ? {} : undefined);
  if (input === undefined) throw apiErrors.malformed("the form has no part named metadata");
  if (input !== null && typeof input === "object" && "assets" in input) throw apiErrors.unsupported("static assets");
  const files = readFormFiles(form).filter(([name]) => name !== "metadata");
  return parseUpload(Array.isArray(input) ? input : { ...main, ...(input as object) }, files);
};

/** As the headers `CF-WORKER-MAIN-MODULE-PART` and `CF-WORKER-BODY-PART` name it. */
export type EntryPart = { readonly main_module?: string } | { readonly body_part?: string };

const parseUpload = async (input: unknown, files: readonly (readonly [string, File])[]): Promise<Upload> => {
  const { main_module, body_part, ...others } = parseAs(metadata, input, "metadata");
  const main = main_module ?? body_part;
  if (main === undefined) throw apiErrors.malformed("metadata.main_module: there is none, and no body_part");
  const modules = await Promise.all(
    files
      .filter(([, { type }]) => mediaType(type) !== "application/source-map")
      .map(async ([name, part]) => {
        const type = moduleTypes[mediaType(part.type)];
        if (!type) throw apiErrors.badModule(name, part.type);
        const isScript = main_module === undefined && name === main && type === "CommonJS";
        return { name, type: isScript ? "Script" : type, content: new Uint8Array(await part.arrayBuffer()) } as const;
      }),
  );
  if (modules.reduce((sum, { content }) => sum + content.length, 0) > maxBytes)
    throw apiErrors.tooLarge("Your Worker", "64 MiB");
  const mainPart = modules.find(({ name }) => name === main);
  if (!mainPart) throw apiErrors.noModule(main);
  if (main_module === undefined ? mainPart.type !== "Script" : mainPart.type !== "ESModule")
    throw apiErrors.badModule(
      mainPart.name,
      `${mainPart.type} as the main ${main_module === undefined ? "script" : "module"}`,
    );
  const [extra] = modules.filter((it) => it !== mainPart);
  if (main_module === undefined && extra) throw apiErrors.badModule(extra.name, "a script has no modules beside it");
  return { metadata: { ...others, main_module: main }, modules };
};

const mediaType = (type: string): string => type.split(";")[0]?.trim().toLowerCase() ?? "";

/** @throws ApiError */
export const parseAs = <T extends z.ZodType>(schema: T, input: unknown, name: string): z.output<T> => {
  const it = schema.safeParse(input);
  if (it.success) return it.data;
  throw apiErrors.malformed(
    it.error.issues.map(({ path, message }) => `${[name, ...path].join(".")}: ${message}`).join("; "),
  );
};
