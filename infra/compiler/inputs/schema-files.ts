/** Loads the JSON Schemas of `routes/schemas`, with the source location of each keyword. */
import fs from "node:fs";
import path from "node:path";
import type { Problem } from "../../diagnostics/problem.ts";
import { readProjectFile, sourceOf } from "../../diagnostics/source.ts";
import { dialectOf, draft2020, unknownDialect } from "../../openapi/dialects.ts";
import { DocumentError, isMap, type Json } from "../../openapi/document.ts";
import type { SchemaDocument } from "../../openapi/references.ts";

export interface SchemaFile {
  readonly document: SchemaDocument;
  /** Whether the file is an OpenAPI document. */
  readonly openapi: boolean;
  readonly problems: readonly Problem[];
}

/** @throws DocumentError if the file is missing, or outside the project */
export type SchemaLoader = (file: string) => SchemaFile;

/** Each is read once. */
export const createSchemaLoader = (root: string): SchemaLoader => {
  const cache = new Map<string, SchemaFile>();
  return (file) => {
    const loaded = cache.get(file) ?? readFile(root, `routes/${file}`);
    cache.set(file, loaded);
    return loaded;
  };
};

const readFile = (root: string, file: string): SchemaFile => {
  const whole = path.join(root, file);
  if (!fs.statSync(whole, { throwIfNoEntry: false })?.isFile())
    throw new DocumentError(`there is no file ${file}`, "give the path of an existing file");
  const routes = fs.realpathSync(path.join(root, "routes"));
  if (!fs.realpathSync(whole).startsWith(routes + path.sep))
    throw new DocumentError(`${file} is a link out of routes/`, "put a regular file there");
  const folder = path.posix.dirname(file);
  const emptyDocument: SchemaDocument = { file, folder, root: true, dialect: draft2020 };
  // They may be large, so they are not parsed with locations.
  if (file.startsWith("routes/openapi/")) return { document: emptyDocument, openapi: true, problems: [] };
  const source = sourceOf(file, readProjectFile(root, file));
  if (source.problems.length > 0) return { document: emptyDocument, openapi: false, problems: source.problems };
  const value = source.value as Json;
  const dialect = dialectOf(value);
  const document: SchemaDocument = {
    file,
    folder,
    root: value ?? null,
    dialect: dialect ?? draft2020,
    origin: { source, at: [] },
  };
  if (dialect) return { document, openapi: isMap(value) && value.openapi !== undefined, problems: [] };
  const [message, remedy] = unknownDialect;
  const problem = source.problem(["$schema"], "schema-unfit", message, { remedy });
  return { document: emptyDocument, openapi: false, problems: [problem] };
};
