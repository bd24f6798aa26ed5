/** Reads an OpenAPI document, 3.0 or 3.1, JSON or YAML, and finds what its references name. */
import fs from "node:fs";
import { parse } from "yaml";

export type Json = null | boolean | number | string | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [key: string]: Json | undefined;
}

export interface OpenApi {
  /** As it was asked for. */
  readonly file: string;
  /** `3.0.3`. */
  readonly version: string;
  readonly root: JsonMap;
}

/** Whatever references lead into. */
export interface Rooted {
  readonly file: string;
  readonly root: Json;
}

/** What is wrong with a document, where in it, and what to do. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

/** In bytes. GitHub's has 13 MB. */
const largest = 32 * 1024 * 1024;

/** @throws DocumentError */
export const readDocument = (whole: string, file: string): OpenApi => documentOf(textOf(whole, file), file);

/** @throws DocumentError where there is none, or it is too large */
export const textOf = (whole: string, file: string): string => {
  const found = fs.statSync(whole, { throwIfNoEntry: false });
  if (!found?.isFile())
    throw new DocumentError(`there is no file ${file}`, "give the path of a document that is there");
  if (found.size > largest)
    throw new DocumentError(`${file} has ${found.size} bytes`, `a document has ${largest} at most; split it`);
  return fs.readFileSync(whole, "utf8");
};

/** @throws DocumentError */
export const documentOf = (text: string, file: string): OpenApi => {
  const root = parsed(text, file);
  const version = isMap(root) ? root.openapi : undefined;
  if (!isMap(root) || typeof version !== "string")
    throw new DocumentError(
      isMap(root) && root.swagger !== undefined
        ? `${file} is a Swagger ${String(root.swagger)} document`
        : `${file} is no OpenAPI document`,
      "an OpenAPI document says its version in `openapi`: 3.0.3, 3.1.0; older ones are converted first",
    );
  if (!/^3\.[01]\.\d+$/.test(version))
    throw new DocumentError(`${file} is an OpenAPI ${version} document`, "3.0 and 3.1 are read");
  return { file, version, root };
};

const parsed = (text: string, file: string): unknown => {
  try {
    return /^\s*\{/.test(text) ? JSON.parse(text) : parse(text, { maxAliasCount: 100, logLevel: "silent" });
  } catch (error) {
    const said = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new DocumentError(`${file} cannot be read: ${said}`, "write JSON or YAML");
  }
};

export const isMap = (value: unknown): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const mapOf = (value: unknown): JsonMap => (isMap(value) ? value : {});

export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);

export const stringIn = (map: JsonMap, key: string): string | undefined => {
  const value = map[key];
  return typeof value === "string" ? value : undefined;
};

/** A reference that leads to a reference that leads to … */
export const mostHops = 32;

/**
 * What stands there, or what its `$ref` names, however often.
 * @throws DocumentError where it leads out of the document, nowhere, or in a circle
 */
export const resolved = (document: Rooted, value: unknown): Json => {
  let at = value as Json;
  for (let hop = 0; isMap(at) && typeof at.$ref === "string"; hop++) {
    if (hop === mostHops)
      throw new DocumentError(`${document.file}: ${at.$ref} leads in a circle`, "let it name what is meant");
    at = pointed(document, at.$ref);
  }
  return at;
};

/** @throws DocumentError */
export const pointed = ({ file, root }: Rooted, ref: string): Json => {
  if (!ref.startsWith("#"))
    throw new DocumentError(
      `${file}: ${ref} leads out of the document`,
      "bundle it into one file first; nothing is fetched for a build",
    );
  const found = pointerOf(ref).reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    root,
  );
  if (found === undefined || !/^#(?:\/|$)/.test(ref))
    throw new DocumentError(`${file}: ${ref} names nothing`, "name what is there: #/components/schemas/…, #/$defs/…");
  return found as Json;
};

/** The steps of a pointer: `#/a/b`. */
export const pointerOf = (ref: string): string[] => ref.slice(1).split("/").slice(1).map(unescaped);

/** Of the same steps: `/a/b`. */
export const pointerTo = (steps: readonly PropertyKey[]): string =>
  steps.map((it) => `/${String(it).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** RFC 6901, in a fragment. */
const unescaped = (text: string): string => {
  const plain = /%/.test(text) ? decode(text) : text;
  return plain.replaceAll("~1", "/").replaceAll("~0", "~");
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
