/** The OpenAPI documents beside the manifests, each read once as long as it does not change. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { DocumentError, documentOf, type OpenApi, textOf } from "../openapi/document.ts";
import { type Operation, operationsOf } from "../openapi/operations.ts";

export interface Documented {
  readonly document: OpenApi;
  readonly operations: readonly Operation[];
  /** Of its text. */
  readonly digest: string;
}

/** @throws DocumentError */
export type Documents = (file: string) => Documented;

const known = new Map<string, { readonly stamp: string; readonly read: Documented | DocumentError }>();

/** Of all documents, so that a change is noticed; their bytes are read when somebody asks for one. */
export const stampOf = (root: string): string => {
  const folder = path.join(root, "routes/openapi");
  if (!fs.existsSync(folder)) return "";
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return JSON.stringify(names.map((name) => [name, stampOfFile(path.join(folder, name))]));
};

const stampOfFile = (file: string): string => {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  return found ? `${found.size} ${found.mtimeMs}` : "";
};

export const documentsOf =
  (root: string): Documents =>
  (file) => {
    const whole = path.join(root, "routes", file);
    const stamp = stampOfFile(whole);
    const before = known.get(whole);
    const read = before?.stamp === stamp ? before.read : readOr(whole, `routes/${file}`);
    known.set(whole, { stamp, read });
    if (read instanceof DocumentError) throw read;
    return read;
  };

const readOr = (whole: string, file: string): Documented | DocumentError => {
  try {
    const text = textOf(whole, file);
    const document = documentOf(text, file);
    return { document, operations: operationsOf(document), digest: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
};
