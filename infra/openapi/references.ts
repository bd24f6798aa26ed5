/** Resolves schema references within a file or to another file of the project, and nowhere else. */
import path from "node:path";
import type { Path } from "../diagnostics/locate.ts";
import type { Source } from "../diagnostics/source.ts";
import { type Dialect, openApi30, openApi31 } from "./dialects.ts";
import {
  DocumentError,
  isMap,
  type Json,
  type JsonDocument,
  type JsonMap,
  listOf,
  mapOf,
  maxReferences,
  type OpenApi,
  pointerSteps,
  resolvePointer,
  resolveRefs,
  withoutSelf,
} from "./document.ts";

/** A document with schemas: a file, or an inline schema in a manifest. */
export interface SchemaDocument {
  readonly file: string;
  /** The base folder of relative references: `routes/schemas`. */
  readonly folder: string;
  readonly root: Json;
  readonly dialect: Dialect;
  /** Its source location; undefined for documents without line information. */
  readonly origin?: { readonly source: Source; readonly at: Path };
}

/** An OpenAPI document, without line information. */
export const schemaDocumentOf = ({ file, root, version }: OpenApi): SchemaDocument => ({
  file,
  root,
  folder: path.posix.dirname(file),
  dialect: version.startsWith("3.0") ? openApi30 : openApi31,
});

/** The location of a schema. */
export interface SchemaLocation {
  readonly document: SchemaDocument;
  readonly path: Path;
  /** Its name in messages. */
  readonly name: string;
}

export interface LocatedSchema extends SchemaLocation {
  readonly value: Json;
}

/** Reads a file of the project: `routes/schemas/order.json`. @throws DocumentError */
export type OpenDocument = (file: string) => SchemaDocument;

export const childLocation = (location: SchemaLocation, ...steps: Path): SchemaLocation => ({
  ...location,
  path: [...location.path, ...steps],
});

/**
 * Resolves a reference, and verifies that the chain of references behind it ends.
 * @throws DocumentError if it leaves the project, is broken, or is circular
 */
export const resolveReference = (ref: string, from: SchemaDocument, openDocument: OpenDocument): LocatedSchema => {
  const first = resolveOnce(ref, from, openDocument);
  let at = first;
  for (let turn = 0; isMap(at.value) && isPlainReference(at.value.$ref, at); turn++) {
    if (turn === maxReferences)
      throw new DocumentError(`${filePrefix(from)}${ref} is circular`, "refer to the target directly");
    at = resolveOnce(String(at.value.$ref), at.document, openDocument);
  }
  return first;
};

const isPlainReference = (ref: unknown, { value, document }: LocatedSchema): boolean =>
  typeof ref === "string" && (!document.dialect.refSiblings || Object.keys(mapOf(value)).length === 1);

const resolveOnce = (reference: string, from: SchemaDocument, openDocument: OpenDocument): LocatedSchema => {
  const ref = withoutSelf(from.root, reference);
  const id = mapOf(from.root).$id;
  const isLocal = typeof id === "string" && id !== "" && ref.startsWith(`${id.replace(/#$/, "")}#`);
  const [file = "", ...rest] = isLocal ? ["", ref.slice(ref.indexOf("#") + 1)] : ref.split("#");
  const document = file === "" ? from : openDocument(fileOf(file, ref, from));
  const pointer = `#${rest.join("#")}`;
  const value = resolvePointer(document, pointer);
  const steps = pointerSteps(pointer);
  return { document, path: steps, name: steps.at(-1) ?? document.file, value };
};

const fileOf = (file: string, ref: string, from: SchemaDocument): string => {
  if (from.dialect.openapi)
    throw new DocumentError(
      `${from.file}: ${ref} refers to another document`,
      "bundle both into one file first; a build fetches nothing",
    );
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(file))
    throw new DocumentError(
      `${ref} refers to a file outside of the project`,
      "put the file into routes/schemas; a build fetches nothing",
    );
  const reference = path.posix.normalize(path.posix.join(from.folder, file));
  if (!/^routes\/(?:schemas|openapi)\/.+\.(?:json|ya?ml)$/.test(reference))
    throw new DocumentError(
      `${ref} refers to ${reference}`,
      "schemas are in routes/schemas and routes/openapi, as .json or .yaml",
    );
  return reference;
};

/** The file name for messages without a marked line. */
const filePrefix = ({ file, origin }: SchemaDocument): string => (origin ? "" : `${file}: `);

/** A unique name from the last path step: `#/components/schemas/Order` is `Order`. */
export const uniqueName = (path: Path, used: object): string => {
  const baseName = String(path.findLast((it) => typeof it === "string") ?? "schema").replaceAll(/[^\w.-]+/g, "-");
  for (let turn = 1; ; turn++) {
    const name = turn === 1 ? baseName : `${baseName}-${turn}`;
    if (!Object.hasOwn(used, name)) return name;
  }
};

/** Limit for one object. */
const maxComposed = 200;

/** Schemas with everything that they include by `allOf` and `$ref`. */
export const composedOf = (document: JsonDocument, all: readonly JsonMap[]): readonly JsonMap[] => {
  const found = new Set<JsonMap>();
  const queue: unknown[] = [...all];
  for (let it = queue.pop(); it !== undefined && found.size < maxComposed; it = queue.pop()) {
    if (!isMap(it) || found.has(it)) continue;
    found.add(it);
    queue.push(...listOf(it.allOf), ...(typeof it.$ref === "string" ? [resolveRefs(document, it)] : []));
  }
  return [...found];
};
