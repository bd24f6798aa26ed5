/** Files that are written by machine and checked in. */
import fs from "node:fs";
import path from "node:path";

export interface Generated {
  /** Relative to its root. */
  readonly file: string;
  readonly text: string;
}

/** Begins a page of the reference. */
export const written = "<!-- Written by `npm run gen` from the code; edits are lost. -->";

/** The code's own root, where parts are found. */
export const home: string = path.resolve(import.meta.dirname, "../..");

export const isStale = ({ file, text }: Generated, root: string): boolean =>
  !fs.existsSync(path.join(root, file)) || fs.readFileSync(path.join(root, file), "utf8") !== text;

/** Writes what has changed and says which files that were. */
export const writeAll = (generated: readonly Generated[], root: string): string[] =>
  generated
    .filter((it) => isStale(it, root))
    .map(({ file, text }) => {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), text);
      return file;
    });
