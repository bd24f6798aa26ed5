/** A public API's own document, as its package ships it, with a hundred operations and more. */
import { createRequire } from "node:module";
import path from "node:path";
import { parseDocument } from "../../../infra/openapi/document.ts";
import { listOperations } from "../../../infra/openapi/operations.ts";

const { resolve } = createRequire(import.meta.url);
export const shipped = path.join(path.dirname(resolve("@blockfrost/openapi/package.json")), "openapi.yaml");

/** Another one: `POSTERN_OPENAPI=github.json`. */
export const file = process.env.POSTERN_OPENAPI ?? shipped;

/** With a line that says which; parameters are called otherwise by a gate. */
export const operationsIn = (text: string) =>
  listOperations(parseDocument(text, "it")).map((operation) => ({
    operation,
    line: `${operation.method} ${operation.path.replaceAll(/\{[^{}]*\}/g, "{}")}`,
  }));
