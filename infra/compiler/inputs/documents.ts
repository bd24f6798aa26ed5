/** Loads the OpenAPI documents of `routes/openapi`, cached until a file changes. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { DocumentError, type OpenApi, parseDocument, readProjectText } from "../../openapi/document.ts";
import { listOperations, type Operation } from "../../openapi/operations.ts";
import { listFilesWithin } from "../../project/files.ts";

export interface LoadedDocument {
  readonly document: OpenApi;
  readonly operations: readonly Operation[];
  /** Of its text. */
  readonly digest: string;
}

/** @throws DocumentError */
export type DocumentLoader = (file: string) => LoadedDocument;

const cache = new Map<string, { readonly stamp: string; readonly read: LoadedDocument | DocumentError }>();

const documentFolders = ["routes/openapi", "routes/schemas"];

/** Sizes and times of all documents and schemas, to detect changes without reading them. */
export const stampOf = (root: string): string =>
  JSON.stringify(
    documentFolders.flatMap((folder) =>
      listFilesWithin(root, folder).map((name) => [folder, name, stampOfFile(path.join(root, folder, name))]),
    ),
  );

const stampOfFile = (file: string): string => {
  try {
    const { size, mtimeMs } = fs.statSync(file);
    return `${size} ${mtimeMs}`;
  } catch {
    // Missing, or a broken link.
    return "";
  }
};

export const createDocumentLoader =
  (root: string): DocumentLoader =>
  (file) => {
    const whole = path.join(root, "routes", file);
    const stamp = stampOfFile(whole);
    const before = cache.get(whole);
    const read = before?.stamp === stamp ? before.read : loadDocument(root, `routes/${file}`);
    cache.set(whole, { stamp, read });
    if (read instanceof DocumentError) throw read;
    return read;
  };

const loadDocument = (root: string, file: string): LoadedDocument | DocumentError => {
  try {
    const text = readProjectText(root, file);
    const document = parseDocument(text, file);
    return { document, operations: listOperations(document), digest: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
};
