/**
 * Checks what an upload's code exports. The platform refuses code that lacks a class with objects. workerd only warns.
 */
import path from "node:path";
import * as esbuild from "esbuild";
import type { ObjectClass } from "./account.ts";
import { apiErrors } from "./api-errors.ts";
import type { Upload } from "./upload.ts";

/**
 * @param before the Worker's classes before this upload's migrations
 * @param classes those after them
 * @throws ApiError
 */
export const checkExports = async (
  upload: Upload,
  before: readonly ObjectClass[],
  classes: readonly ObjectClass[],
): Promise<void> => {
  if (classes.length === 0) return;
  const exported = await exportedNames(upload);
  if (!exported) return;
  for (const { id, className } of classes)
    if (!exported.has(className))
      throw before.some((it) => it.id === id)
        ? apiErrors.classDropped(className)
        : apiErrors.classNotExported(className);
};

/** Undefined if the code does not parse: the runtime's message is better. */
const exportedNames = async ({ metadata, modules }: Upload): Promise<ReadonlySet<string> | undefined> => {
  const sources = new Map(
    modules.filter(({ type }) => type === "ESModule").map(({ name, content }) => [path.posix.normalize(name), content]),
  );
  const built = await esbuild
    .build({
      entryPoints: [metadata.main_module],
      bundle: true,
      write: false,
      outdir: "/",
      metafile: true,
      format: "esm",
      logLevel: "silent",
      plugins: [{ name: "upload", setup: (build) => addUploadLoader(build, sources) }],
    })
    .catch(() => undefined);
  const [output] = Object.values(built?.metafile.outputs ?? {});
  return output && new Set(output.exports);
};

const addUploadLoader = (build: esbuild.PluginBuild, sources: ReadonlyMap<string, Uint8Array>): void => {
  build.onResolve({ filter: /.*/ }, ({ path: specifier, importer }) => {
    const name = path.posix.join(path.posix.dirname(importer), specifier);
    return sources.has(name) ? { path: name, namespace: "upload" } : { path: specifier, external: true };
  });
  build.onLoad({ filter: /.*/, namespace: "upload" }, ({ path: name }) => ({
    contents: sources.get(name) ?? "",
    loader: "js",
  }));
};
