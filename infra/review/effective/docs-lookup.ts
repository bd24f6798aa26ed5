/** Finds the page and line of the reference that documents a key. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../project/generated-files.ts";

/** @returns `docs/reference/filters/jwt.md:42`; for a key without a row, that of its nearest parent */
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

/** Author-chosen names are `<name>` in the reference. */
const rowPattern = (key: readonly string[]): RegExp => {
  const steps = key.map((it) => `(?:${it.replaceAll(/[^\w-]/g, "\\$&")}|<name>)`);
  return new RegExp(`^\\| \`${steps.join("\\.")}\` \\|`);
};
