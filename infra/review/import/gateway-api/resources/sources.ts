/** Reads the YAML and JSON files of a folder, recursively and bounded; links are followed within the folder only. */
import fs from "node:fs";
import path from "node:path";
import type { Gap } from "../../imported.ts";
import { decodeText, type InputFile, maxCharacters } from "./documents.ts";

export interface InputFiles {
  readonly files: readonly InputFile[];
  /** Files that are not read. */
  readonly gaps: readonly Gap[];
}

const limits = { files: 5000, bytes: 64 * 1024 * 1024, depth: 16 };

/** @throws if the files exceed the limits of an import */
export const readFolder = (folder: string): InputFiles => {
  const root = fs.realpathSync(folder);
  const seen = new Set<string>([root]);
  const found: InputFile[] = [];
  const gaps: Gap[] = [];
  const addGap = (where: string, what: string) => gaps.push({ kind: "left-out", where, what });
  let bytes = 0;
  const read = (file: string): void => {
    const { size } = fs.statSync(file);
    if (size > maxCharacters) {
      addGap(file, `it has ${size} bytes, and ${maxCharacters} are read of one file`);
      return;
    }
    bytes += size;
    if (found.length >= limits.files) throw new Error(`${folder} has more than ${limits.files} files; ${partsRemedy}`);
    if (bytes > limits.bytes) throw new Error(`${folder} has more than ${limits.bytes} bytes of YAML; ${partsRemedy}`);
    found.push({ file, text: decodeText(fs.readFileSync(file)) });
  };
  const walk = (at: string, depth: number): void => {
    for (const entry of fs.readdirSync(at, { withFileTypes: true }).toSorted(byName)) {
      const file = path.join(at, entry.name);
      const real = entry.isSymbolicLink() ? resolveLink(file) : file;
      const status = real === undefined ? undefined : fs.statSync(real);
      const isRead = status?.isDirectory() ? !ignoredFolders.test(entry.name) : yamlFile.test(entry.name);
      if (!isRead) continue;
      if (real === undefined) addGap(file, "it is a link to nothing");
      else if (entry.isSymbolicLink() && !isWithin(root, real)) addGap(file, "it is a link to outside of the folder");
      else if (status?.isDirectory()) {
        if (depth >= limits.depth) addGap(file, `folders are read ${limits.depth} deep`);
        else if (isFirstVisit(file, seen)) walk(file, depth + 1);
      } else if (!status?.isFile()) addGap(file, "it is not a file");
      else if (isFirstVisit(file, seen)) read(file);
    }
  };
  walk(folder, 1);
  return { files: found, gaps };
};

const partsRemedy = "import it in parts";

const yamlFile = /\.(?:ya?ml|json)$/i;

/** Folders of tools, without resources of a cluster. */
const ignoredFolders = /^(?:\.git|node_modules)$/;

const byName = (a: fs.Dirent, b: fs.Dirent): number => (a.name < b.name ? -1 : 1);

const resolveLink = (file: string): string | undefined => {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
};

const isWithin = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
};

/** Whether the file is new: a link may point to a file that is read anyway, or be circular. */
const isFirstVisit = (file: string, seen: Set<string>): boolean => {
  const real = fs.realpathSync(file);
  return !seen.has(real) && Boolean(seen.add(real));
};
