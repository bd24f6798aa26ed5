/** Reads an OpenAPI document, 3.0 to 3.2, in JSON or YAML, and resolves its references. */
import { parse } from "yaml";
import { detectEncoding, FileError, readBounded, readWithin, reasons } from "../project/files.ts";

export type Json = null | boolean | number | string | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [key: string]: Json | undefined;
}

export interface OpenApi {
  /** The file's path as given. */
  readonly file: string;
  /** `3.0.3`. */
  readonly version: string;
  readonly root: JsonMap;
}

/** A document that references can point into. */
export interface JsonDocument {
  readonly file: string;
  readonly root: Json;
}

/** A problem of a document, with a remedy. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** In bytes; GitHub's document has 13 MB. */
const maxBytes = 32 * 1024 * 1024;

/** Reads a file named on the command line. @throws DocumentError if it is missing or too large */
export const readTextFile = (filePath: string, file: string): string =>
  decodeFile(() => readBounded(filePath, maxBytes), file);

/** Reads a file of the project. @throws DocumentError if it is missing, too large, or a link out of the project */
export const readProjectText = (root: string, file: string): string =>
  decodeFile(() => readWithin(root, file, maxBytes), file);

const decodeFile = (read: () => Buffer, file: string): string => {
  try {
    return decodeBytes(read(), file);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    if (error.reason === "large")
      throw new DocumentError(`${file} has ${error.size} bytes`, `a document has ${maxBytes} at most; split it`);
    if (error.reason !== "missing")
      throw new DocumentError(`${file}: ${reasons[error.reason]}`, "put a regular file there");
    throw new DocumentError(`there is no file ${file}`, "give the path of an existing document");
  }
};

/** Decodes by the byte order mark, which is removed. */
const decodeBytes = (bytes: Buffer, file: string): string => {
  const encoding = detectEncoding(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new DocumentError(`${file} is not valid ${encoding.toUpperCase()}`, "save it as UTF-8");
  }
};

/** @throws DocumentError */
export const parseDocument = (text: string, file: string): OpenApi => {
  const root = parseJsonOrYaml(text, file);
  if (isMap(root) && root.swagger !== undefined)
    throw new DocumentError(
      `${file} is a Swagger ${versionText(root.swagger)} document`,
      "convert it to OpenAPI 3 first: npx swagger2openapi swagger.yaml -o openapi.yaml",
    );
  if (isDeeper(root, maxDepth))
    throw new DocumentError(
      `${file} is nested more than ${maxDepth} levels deep`,
      "move nested parts into named schemas: $ref",
    );
  const version = isMap(root) ? versionText(root.openapi) : "";
  if (!isMap(root) || version === "")
    throw new DocumentError(
      `${file} is not an OpenAPI document`,
      "an OpenAPI document says its version in `openapi`: 3.0.4, 3.1.2, 3.2.0",
    );
  if (!/^3\.[012](?:\.\d+)?(?:-[\w.-]+)?$/.test(version))
    throw new DocumentError(`${file} is an OpenAPI ${version} document`, "3.0, 3.1 and 3.2 are read");
  return { file, version, root };
};

/** YAML reads `openapi: 3.1` as a number. */
const versionText = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

export const parseJsonOrYaml = (text: string, file: string): unknown => {
  try {
    const withoutMark = text.replace(/^\uFEFF/, "");
    // With the level "silent" the parser would accept broken documents.
    return isJsonText(withoutMark)
      ? JSON.parse(withoutMark)
      : parse(withoutMark, { maxAliasCount: 1000, merge: true, logLevel: "error" });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    const isDuplicate = error instanceof Error && "code" in error && error.code === "DUPLICATE_KEY";
    throw new DocumentError(
      `${file} cannot be read: ${reason}`,
      isDuplicate ? "leave one of the two" : "write JSON or YAML",
    );
  }
};

export const isJsonText = (text: string): boolean => /^\s*\{/.test(text);

/** Nesting limit; the deepest known document has forty levels. */
const maxDepth = 256;

/** Breadth-first, to avoid deep recursion. */
const isDeeper = (root: unknown, limit: number): boolean => {
  let level = [root];
  for (let depth = 0; depth < limit; depth++) {
    level = level.flatMap((it) => (typeof it === "object" && it !== null ? Object.values(it) : []));
    if (level.length === 0) return false;
  }
  return true;
};

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const mapOf = (value: unknown): JsonMap => (isMap(value) ? value : {});

export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);

export const stringIn = (map: JsonMap, key: string): string | undefined => {
  const value = map[key];
  return typeof value === "string" ? value : undefined;
};

/** Maximum length of a chain of references. */
export const maxReferences = 32;

/** The budget of one resolution. */
const newBudget = () => ({ left: maxReferences });

/**
 * Follows `$ref`s until a value.
 * @throws DocumentError if a reference leaves the document, is broken, or is circular
 */
export const resolveRefs = (document: JsonDocument, value: unknown, budget = newBudget()): Json => {
  let at = value as Json;
  while (isMap(at) && typeof at.$ref === "string") {
    if (budget.left-- <= 0)
      throw new DocumentError(`${document.file}: ${at.$ref} is circular`, "refer to the target directly");
    at = resolvePointer(document, at.$ref, budget);
  }
  return at;
};

/**
 * Resolves a pointer, following references on the way: bundled documents have `components: { schemas: { $ref: … } }`.
 * @throws DocumentError
 */
export const resolvePointer = (document: JsonDocument, reference: string, budget = newBudget()): Json => {
  const { file, root } = document;
  const ref = withoutSelf(root, reference);
  if (!ref.startsWith("#"))
    throw new DocumentError(
      `${file}: ${ref} refers to another document`,
      "bundle both into one file first; a build fetches nothing",
    );
  const found = pointerSteps(ref).reduce<unknown>((before, key) => {
    const at = isMap(before) && !Object.hasOwn(before, key) ? resolveRefs(document, before, budget) : before;
    return typeof at === "object" && at !== null && Object.hasOwn(at, key)
      ? (at as Record<string, unknown>)[key]
      : undefined;
  }, root);
  if (found === undefined || !/^#(?:\/|$)/.test(ref))
    throw new DocumentError(
      `${file}: ${ref} has no target`,
      "refer to an existing location: #/components/schemas/…, #/$defs/…",
    );
  return found as Json;
};

/** Strips the document's own URI (`$self`, OpenAPI 3.2) from a reference. */
export const withoutSelf = (root: Json, ref: string): string => {
  const own = mapOf(root).$self;
  return typeof own === "string" && own !== "" && ref.startsWith(`${own}#`) ? ref.slice(own.length) : ref;
};

/** The steps of a pointer: `#/a/b`. */
export const pointerSteps = (ref: string): string[] => ref.slice(1).split("/").slice(1).map(unescapeStep);

/** The pointer of steps: `/a/b`. */
export const toPointer = (steps: readonly PropertyKey[]): string =>
  steps.map((it) => `/${String(it).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** RFC 6901, in a fragment. */
const unescapeStep = (text: string): string => {
  const withoutMark = /%/.test(text) ? decode(text) : text;
  return withoutMark.replaceAll("~1", "/").replaceAll("~0", "~");
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
