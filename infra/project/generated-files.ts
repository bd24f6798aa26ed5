/** Files that are written by machine and checked in. */
import path from "node:path";
import { textWithin, writeWithin } from "./files.ts";

export interface Generated {
  /** Relative to its root. */
  readonly file: string;
  readonly text: string;
}

/** Begins a page of the reference. */
export const written = "<!-- Written by `npm run gen` from the code; edits are lost. -->";

/** The code's own root, where parts are found. */
export const home: string = path.resolve(import.meta.dirname, "../..");

export const isStale = ({ file, text }: Generated, root: string): boolean => textWithin(root, file) !== text;

/** Writes what has changed and says which files that were. */
export const writeAll = (generated: readonly Generated[], root: string): string[] =>
  generated
    .filter((it) => isStale(it, root))
    .map(({ file, text }) => {
      writeWithin(root, file, text);
      return file;
    });
