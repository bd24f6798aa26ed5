/** Finds the page and line of the reference that documents a key. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../../project/generated-files.ts";
import { project } from "../../project/project.ts";

/** @returns `docs/reference/filters/jwt.md:42`; for a key without a row, that of its nearest parent */
export type DocsLookup = (page: string, key: readonly string[]) => string;

/** Each page is read once. */
export const createDocsLookup = (): DocsLookup => {
  const pages = new Map<string, readonly string[]>();
  const linesOf = (page: string): readonly string[] => {
    const lines = pages.get(page) ?? (textOf(page) ?? "").split("\n");
    pages.set(page, lines);
    return lines;
  };
  return (page, key) => {
    const part = ownPart(page);
    const lines = linesOf(page);
    // `npx postern gen` has not been run: what documents the part is its code.
    if (part !== undefined && lines.length === 1) return part.file;
    for (let length = key.length; length > 0; length--) {
      const row = rowPattern(key.slice(0, length));
      const line = lines.findIndex((it) => row.test(it));
      if (line >= 0) return `${page}:${line + 1}`;
    }
    return page;
  };
};

/** The part of the project that a page is about. */
const ownPart = (page: string) =>
  project().own.parts.find(({ group, name }) => page === `docs/reference/${group}/${name}.md`);

/** A page of an own part is in the project; all others are Postern's. */
const textOf = (page: string): string | undefined => {
  const file = path.join(ownPart(page) ? project().root : codeRoot, page);
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
};

/** Author-chosen names are `<name>` in the reference. */
const rowPattern = (key: readonly string[]): RegExp => {
  const steps = key.map((it) => `(?:${it.replaceAll(/[^\w-]/g, "\\$&")}|<name>)`);
  return new RegExp(`^\\| \`${steps.join("\\.")}\` \\|`);
};
