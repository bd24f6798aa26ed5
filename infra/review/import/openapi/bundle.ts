/**
 * Bundles a document of several files. Each other file is embedded under the extension `x-files`, by its relative path, and
 * references point there. Only files in the document's folder and below are read, and nothing is fetched.
 */
import fs from "node:fs";
import path from "node:path";
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  type OpenApi,
  parseJsonOrYaml,
  readTextFile,
  toPointer,
} from "../../../openapi/document.ts";

const maxFiles = 5000;
/** Limit of all files together, in bytes. */
const maxBytes = 32 * 1024 * 1024;

export interface BundledDocument {
  readonly document: OpenApi;
  /** The number of other files. */
  readonly files: number;
}

/** @throws DocumentError if it is too large */
export const bundleDocument = (document: OpenApi): BundledDocument => {
  if (!hasExternalRefs(document.root)) return { document, files: 0 };
  const entry = path.resolve(document.file);
  const folder = fs.realpathSync(path.dirname(entry));
  const files = new Map<string, Json | undefined>();
  const queue: string[] = [];
  let bytes = 0;

  /** The file's path relative to the document's folder, if it can be read. */
  const resolveFile = (reference: string, from: string): string | undefined => {
    const filePath = path.resolve(path.dirname(from), decode(reference));
    if (!fs.existsSync(filePath) || !fs.statSync(filePath).isFile()) return undefined;
    const name = path.relative(folder, fs.realpathSync(filePath)).replaceAll(path.sep, "/");
    if (name.startsWith("../") || path.isAbsolute(name)) return undefined;
    if (!files.has(name)) {
      bytes += fs.statSync(filePath).size;
      if (files.size === maxFiles || bytes > maxBytes)
        throw new DocumentError(
          `${document.file} has too many files beside it`,
          `${maxFiles} files of ${maxBytes} bytes are read`,
        );
      files.set(name, undefined);
      queue.push(name);
    }
    return name;
  };

  const rewriteRef = (ref: string, from: string): string => {
    const [file = "", ...rest] = ref.split("#");
    const isEntry = from === entry;
    if (file === "") return isEntry ? ref : `#/x-files${toPointer([path.relative(folder, from)])}${rest.join("#")}`;
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(file)) return ref;
    const name = resolveFile(file, from);
    if (name === undefined) return ref;
    if (path.join(folder, name) === fs.realpathSync(entry)) return `#${rest.join("#")}`;
    return `#/x-files${toPointer([name])}${rest.join("#")}`;
  };

  const rewriteRefs = (value: Json | undefined, from: string): Json => {
    if (Array.isArray(value)) return value.map((it) => rewriteRefs(it, from));
    if (!isMap(value)) return value ?? null;
    return Object.fromEntries(
      Object.entries(value).map(([key, it]) => [
        key,
        key === "$ref" && typeof it === "string" ? rewriteRef(it, from) : rewriteRefs(it, from),
      ]),
    );
  };

  const root = rewriteRefs(document.root, entry) as JsonMap;
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const filePath = path.join(folder, name);
    files.set(name, rewriteRefs(readContent(filePath, name), filePath));
  }
  files.delete(path.relative(folder, fs.realpathSync(entry)));
  if (files.size === 0) return { document, files: 0 };
  const otherFiles = Object.fromEntries([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { document: { ...document, root: { ...root, "x-files": otherFiles as JsonMap } }, files: files.size };
};

/** Whether a reference names another file. */
const hasExternalRefs = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.some(hasExternalRefs);
  if (!isMap(value)) return false;
  return Object.entries(value).some(([key, it]) =>
    key === "$ref" && typeof it === "string" ? !it.startsWith("#") : hasExternalRefs(it),
  );
};

/** Text that is neither JSON nor YAML, such as a description, stays a string. */
const readContent = (filePath: string, name: string): Json => {
  const text = readTextFile(filePath, name);
  try {
    return parseJsonOrYaml(text, name) as Json;
  } catch (error) {
    if (error instanceof DocumentError) return text;
    throw error;
  }
};

const decode = (reference: string): string => {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
};
