/** Files of a folder and of all folders in it, bounded; a link is followed within the folder only. */
import fs from "node:fs";
import path from "node:path";
import type { Gap } from "../../imported.ts";
import { type Given, largest, textOf } from "./documents.ts";

export interface Sources {
  readonly given: readonly Given[];
  /** Files that are not read. */
  readonly gaps: readonly Gap[];
}

const bounds = { files: 5000, bytes: 64 * 1024 * 1024, depth: 16 };

/** @throws where there is more than an import takes */
export const sourcesIn = (folder: string): Sources => {
  const inside = fs.realpathSync(folder);
  const seen = new Set<string>([inside]);
  const found: Given[] = [];
  const gaps: Gap[] = [];
  const gap = (where: string, what: string) => gaps.push({ kind: "left-out", where, what });
  let bytes = 0;
  const read = (file: string): void => {
    const { size } = fs.statSync(file);
    if (size > largest) {
      gap(file, `it has ${size} bytes, and ${largest} are read of one file`);
      return;
    }
    bytes += size;
    if (found.length >= bounds.files) throw new Error(`${folder} has more than ${bounds.files} files; ${parts}`);
    if (bytes > bounds.bytes) throw new Error(`${folder} has more than ${bounds.bytes} bytes of YAML; ${parts}`);
    found.push({ file, text: textOf(fs.readFileSync(file)) });
  };
  const walk = (at: string, depth: number): void => {
    for (const entry of fs.readdirSync(at, { withFileTypes: true }).toSorted(byName)) {
      const file = path.join(at, entry.name);
      const real = entry.isSymbolicLink() ? linked(file) : file;
      const status = real === undefined ? undefined : fs.statSync(real);
      const wanted = status?.isDirectory() ? !unread.test(entry.name) : yaml.test(entry.name);
      if (!wanted) continue;
      if (real === undefined) gap(file, "it is a link to nothing");
      else if (entry.isSymbolicLink() && !isWithin(inside, real)) gap(file, "it is a link to outside of the folder");
      else if (status?.isDirectory()) {
        if (depth >= bounds.depth) gap(file, `folders are read ${bounds.depth} deep`);
        else if (isNew(file, seen)) walk(file, depth + 1);
      } else if (!status?.isFile()) gap(file, "it is no file");
      else if (isNew(file, seen)) read(file);
    }
  };
  walk(folder, 1);
  return { given: found, gaps };
};

const parts = "import it in parts";

const yaml = /\.(?:ya?ml|json)$/i;

/** Of tools, not of a cluster. */
const unread = /^(?:\.git|node_modules)$/;

const byName = (a: fs.Dirent, b: fs.Dirent): number => (a.name < b.name ? -1 : 1);

const linked = (file: string): string | undefined => {
  try {
    return fs.realpathSync(file);
  } catch {
    return undefined;
  }
};

const isWithin = (folder: string, file: string): boolean => {
  const way = path.relative(folder, file);
  return way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
};

/** Whether it has been met by no other name: a link may lead to what is read anyway, or in a circle. */
const isNew = (file: string, seen: Set<string>): boolean => {
  const real = fs.realpathSync(file);
  return !seen.has(real) && Boolean(seen.add(real));
};
