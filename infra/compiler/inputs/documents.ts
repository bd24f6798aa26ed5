/** The OpenAPI documents beside the manifests, each read once as long as it does not change. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { DocumentError, documentOf, type OpenApi, textWithin } from "../../openapi/document.ts";
import { type Operation, operationsOf } from "../../openapi/operations.ts";
import { filesWithin } from "../../project/files.ts";

export interface Documented {
  readonly document: OpenApi;
  readonly operations: readonly Operation[];
  /** Of its text. */
  readonly digest: string;
}

/** @throws DocumentError */
export type Documents = (file: string) => Documented;

const known = new Map<string, { readonly stamp: string; readonly read: Documented | DocumentError }>();

const folders = ["routes/openapi", "routes/schemas"];

/** Of all documents and schemas, so that a change is noticed; their bytes are read when somebody asks for one. */
export const stampOf = (root: string): string =>
  JSON.stringify(
    folders.flatMap((folder) =>
      filesWithin(root, folder).map((name) => [folder, name, stampOfFile(path.join(root, folder, name))]),
    ),
  );

const stampOfFile = (file: string): string => {
  try {
    const { size, mtimeMs } = fs.statSync(file);
    return `${size} ${mtimeMs}`;
  } catch {
    // Nothing, or a link that leads nowhere.
    return "";
  }
};

export const documentsOf =
  (root: string): Documents =>
  (file) => {
    const whole = path.join(root, "routes", file);
    const stamp = stampOfFile(whole);
    const before = known.get(whole);
    const read = before?.stamp === stamp ? before.read : readOr(root, `routes/${file}`);
    known.set(whole, { stamp, read });
    if (read instanceof DocumentError) throw read;
    return read;
  };

const readOr = (root: string, file: string): Documented | DocumentError => {
  try {
    const text = textWithin(root, file);
    const document = documentOf(text, file);
    return { document, operations: operationsOf(document), digest: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
};
