/** Files that are generated and checked in. */
import path from "node:path";
import { readTextWithin, writeWithin } from "./files.ts";

export interface GeneratedFile {
  /** Relative to its root. */
  readonly file: string;
  readonly text: string;
}

/** The first line of a generated page. */
export const generatedNotice = "<!-- Written by `npm run gen` from the code; edits are lost. -->";

/** The root of Postern's own code, where parts are found. */
export const codeRoot: string = path.resolve(import.meta.dirname, "../..");

/** The extension of Postern's own code: TypeScript in its repository, JavaScript in the npm package. */
export const codeExtension: string = path.extname(import.meta.filename);

export const isStale = ({ file, text }: GeneratedFile, root: string): boolean => readTextWithin(root, file) !== text;

/**
 * Writes the files that have changed.
 * @returns their names
 */
export const writeChanged = (generated: readonly GeneratedFile[], root: string): string[] =>
  generated
    .filter((it) => isStale(it, root))
    .map(({ file, text }) => {
      writeWithin(root, file, text);
      return file;
    });
