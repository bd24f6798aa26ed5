/**
 * A document in several files as one. Each other file stands whole under the extension `x-files`, by its path from the document, and
 * references lead there. Files in the document's folder and below are read, nothing else, and nothing is fetched.
 */
import fs from "node:fs";
import path from "node:path";
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  type OpenApi,
  parsed,
  pointerTo,
  textOf,
} from "../../../openapi/document.ts";

const mostFiles = 5000;
/** In bytes, of all of them. */
const largest = 32 * 1024 * 1024;

export interface Bundled {
  readonly document: OpenApi;
  /** Of the other files. */
  readonly files: number;
}

/** @throws DocumentError where it is too large */
export const bundled = (document: OpenApi): Bundled => {
  if (!leadsOut(document.root)) return { document, files: 0 };
  const entry = path.resolve(document.file);
  const folder = fs.realpathSync(path.dirname(entry));
  const files = new Map<string, Json | undefined>();
  const waiting: string[] = [];
  let bytes = 0;

  /** The file's path from the document's folder, where there is one to read. */
  const found = (reference: string, from: string): string | undefined => {
    const whole = path.resolve(path.dirname(from), decoded(reference));
    if (!fs.existsSync(whole) || !fs.statSync(whole).isFile()) return undefined;
    const name = path.relative(folder, fs.realpathSync(whole)).replaceAll(path.sep, "/");
    if (name.startsWith("../") || path.isAbsolute(name)) return undefined;
    if (!files.has(name)) {
      bytes += fs.statSync(whole).size;
      if (files.size === mostFiles || bytes > largest)
        throw new DocumentError(
          `${document.file} has too many files beside it`,
          `${mostFiles} files of ${largest} bytes are read`,
        );
      files.set(name, undefined);
      waiting.push(name);
    }
    return name;
  };

  const moved = (ref: string, from: string): string => {
    const [file = "", ...rest] = ref.split("#");
    const isEntry = from === entry;
    if (file === "") return isEntry ? ref : `#/x-files${pointerTo([path.relative(folder, from)])}${rest.join("#")}`;
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(file)) return ref;
    const name = found(file, from);
    if (name === undefined) return ref;
    if (path.join(folder, name) === fs.realpathSync(entry)) return `#${rest.join("#")}`;
    return `#/x-files${pointerTo([name])}${rest.join("#")}`;
  };

  const rewritten = (value: Json | undefined, from: string): Json => {
    if (Array.isArray(value)) return value.map((it) => rewritten(it, from));
    if (!isMap(value)) return value ?? null;
    return Object.fromEntries(
      Object.entries(value).map(([key, it]) => [
        key,
        key === "$ref" && typeof it === "string" ? moved(it, from) : rewritten(it, from),
      ]),
    );
  };

  const root = rewritten(document.root, entry) as JsonMap;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const whole = path.join(folder, name);
    files.set(name, rewritten(contentOf(whole, name), whole));
  }
  files.delete(path.relative(folder, fs.realpathSync(entry)));
  if (files.size === 0) return { document, files: 0 };
  const beside = Object.fromEntries([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { document: { ...document, root: { ...root, "x-files": beside as JsonMap } }, files: files.size };
};

/** Whether a reference names another file. */
const leadsOut = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.some(leadsOut);
  if (!isMap(value)) return false;
  return Object.entries(value).some(([key, it]) =>
    key === "$ref" && typeof it === "string" ? !it.startsWith("#") : leadsOut(it),
  );
};

/** A text that is neither JSON nor YAML, such as a description, is the text. */
const contentOf = (whole: string, name: string): Json => {
  const text = textOf(whole, name);
  try {
    return parsed(text, name) as Json;
  } catch (error) {
    if (error instanceof DocumentError) return text;
    throw error;
  }
};

const decoded = (reference: string): string => {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
};
