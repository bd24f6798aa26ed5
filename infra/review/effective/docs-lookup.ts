/** Where the reference documents a key: its page, and the line of its row. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../project/generated-files.ts";

/** @returns `docs/reference/filters/jwt.md:42`; of a key without a row, that of the nearest one that holds it */
export type DocsLookup = (page: string, key: readonly string[]) => string;

/** Each page is read once. */
export const createDocsLookup = (): DocsLookup => {
  const pages = new Map<string, readonly string[]>();
  const linesOf = (page: string): readonly string[] => {
    const lines = pages.get(page) ?? fs.readFileSync(path.join(codeRoot, page), "utf8").split("\n");
    pages.set(page, lines);
    return lines;
  };
  return (page, key) => {
    const lines = linesOf(page);
    for (let length = key.length; length > 0; length--) {
      const row = rowPattern(key.slice(0, length));
      const line = lines.findIndex((it) => row.test(it));
      if (line >= 0) return `${page}:${line + 1}`;
    }
    return page;
  };
};

/** A name that somebody chose stands there as `<name>`. */
const rowPattern = (key: readonly string[]): RegExp => {
  const steps = key.map((it) => `(?:${it.replaceAll(/[^\w-]/g, "\\$&")}|<name>)`);
  return new RegExp(`^\\| \`${steps.join("\\.")}\` \\|`);
};
