/** Reads and writes files of a project: nothing outside of it, files alone, and no more than a bound. */
import fs from "node:fs";
import path from "node:path";

/** Why a file is not read or written, as a sentence for people. */
export class FileRefused extends Error {
  override readonly name = "FileRefused";
  readonly reason: Reason;
  /** In bytes, of one that is too large. */
  readonly size: number | undefined;
  constructor(file: string, reason: Reason, size?: number) {
    super(`${file}: ${reasons[reason]}${size === undefined ? "" : ` (${size} bytes)`}`);
    this.reason = reason;
    this.size = size;
  }
}

export type Reason = keyof typeof reasons;

export const reasons = {
  missing: "there is no such file",
  dangling: "the file is a link that leads nowhere",
  circular: "the file is a link that leads to itself",
  outside: "the file is a link that leads out of the project",
  folder: "this is a folder, and no file",
  special: "this is a device, a socket or a pipe, and no file",
  denied: "nobody here may read the file",
  large: "the file is too large",
  unreadable: "the file cannot be read",
} as const;

const byCode: Readonly<Record<string, Reason>> = {
  ELOOP: "circular",
  EISDIR: "folder",
  EACCES: "denied",
  EPERM: "denied",
  ENXIO: "special",
};

const reasonOf = (whole: string, error: unknown): Reason => {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return isLink(whole) ? "dangling" : "missing";
  return byCode[code] ?? "unreadable";
};

const isLink = (whole: string): boolean => fs.lstatSync(whole, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/**
 * Reads a file of a folder, which a link may lead to from elsewhere in it.
 * @param most bytes
 * @throws FileRefused
 */
export const readWithin = (root: string, file: string, most: number): Buffer => {
  const whole = path.join(root, file);
  let real: string;
  try {
    real = fs.realpathSync(whole);
  } catch (error) {
    throw new FileRefused(file, reasonOf(whole, error));
  }
  if (!isWithin(fs.realpathSync(root), real)) throw new FileRefused(file, "outside");
  return readBounded(real, most, file);
};

/** As text. @returns undefined where there is no such file. @throws FileRefused for any other reason */
export const textWithin = (root: string, file: string, most = largestText): string | undefined => {
  try {
    return readWithin(root, file, most).toString("utf8");
  } catch (error) {
    if (error instanceof FileRefused && error.reason === "missing") return undefined;
    throw error;
  }
};

/** In bytes. Of what a project keeps beside its manifests, the largest are documents. */
const largestText = 64 * 1024 * 1024;

/**
 * Reads a file that somebody named on the command line, wherever it is.
 * @param most bytes
 * @throws FileRefused
 */
export const readBounded = (whole: string, most: number, called = whole): Buffer => {
  let handle: number;
  try {
    // A pipe without a writer is not waited for.
    handle = fs.openSync(whole, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    throw new FileRefused(called, reasonOf(whole, error));
  }
  try {
    const status = fs.fstatSync(handle);
    if (status.isDirectory()) throw new FileRefused(called, "folder");
    if (!status.isFile()) throw new FileRefused(called, "special");
    if (status.size > most) throw new FileRefused(called, "large", status.size);
    const bytes = Buffer.alloc(status.size);
    // What grows while it is read is read as it was.
    const read = fs.readSync(handle, bytes, 0, bytes.length, 0);
    return bytes.subarray(0, read);
  } finally {
    fs.closeSync(handle);
  }
};

/** UTF-8, or UTF-16 by its byte order mark: PowerShell's `>` writes that. */
export const encodingOf = (bytes: Buffer): "utf-8" | "utf-16le" | "utf-16be" => {
  const mark = bytes.subarray(0, 2).toString("hex");
  return mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
};

/**
 * Reads what comes in by standard input, to its end.
 * @param most bytes
 * @throws FileRefused
 */
export const readInput = (most: number): Buffer => {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const read = fs.readSync(0, chunk);
    if (read === 0) return Buffer.concat(chunks);
    size += read;
    if (size > most) throw new FileRefused("-", "large");
    chunks.push(chunk.subarray(0, read));
  }
};

/**
 * Writes a file of a folder, and its folders where there are none.
 * @param isPrivate nobody else on this machine may read it
 * @throws FileRefused where a link would lead the write out of the folder
 */
export const writeWithin = (root: string, file: string, text: string, { isPrivate = false } = {}): void => {
  const whole = path.join(root, file);
  const folder = path.dirname(whole);
  fs.mkdirSync(folder, { recursive: true, ...(isPrivate && { mode: 0o700 }) });
  if (!isWithin(fs.realpathSync(root), path.join(fs.realpathSync(folder), path.basename(whole))))
    throw new FileRefused(file, "outside");
  if (isLink(whole)) {
    if (!fs.existsSync(whole)) throw new FileRefused(file, "dangling");
    if (!isWithin(fs.realpathSync(root), fs.realpathSync(whole))) throw new FileRefused(file, "outside");
  }
  fs.writeFileSync(whole, text, isPrivate ? { mode: 0o600 } : {});
};

/** Files and folders: more than a project has. Links can make of a few folders any number of paths. */
const mostEntries = 10_000;

/**
 * Paths of the files beneath a folder of a project, relative to the folder and in order. A link to a folder is followed within
 * the project, and not in circles. A link to a file is one of the paths, wherever it leads.
 * @throws where there are more than any project has
 */
export const filesWithin = (root: string, folder: string): string[] => {
  const inside = realpathOf(root);
  const found: string[] = [];
  let entries = 0;
  const walk = (way: string, above: readonly string[]): void => {
    const whole = path.join(root, folder, way);
    const real = realpathOf(whole);
    if (inside === undefined || real === undefined || !isWithin(inside, real) || above.includes(real)) return;
    for (const entry of fs.readdirSync(real, { withFileTypes: true }).toSorted(byName)) {
      if (++entries > mostEntries) throw new Error(`${folder} holds more than ${mostEntries} files and folders`);
      const file = path.join(way, entry.name);
      const isDeeper = entry.isSymbolicLink() ? isFolder(path.join(whole, entry.name)) : entry.isDirectory();
      if (isDeeper) walk(file, [...above, real]);
      else found.push(file);
    }
  };
  if (isFolder(path.join(root, folder))) walk("", []);
  return found;
};

const byName = (a: fs.Dirent, b: fs.Dirent): number => (a.name < b.name ? -1 : 1);

const statusOf = (whole: string): fs.Stats | undefined => {
  try {
    return fs.statSync(whole, { throwIfNoEntry: false });
  } catch {
    // A link that leads to itself, or a folder that nobody here may enter.
    return undefined;
  }
};

const isFolder = (whole: string): boolean => statusOf(whole)?.isDirectory() === true;

const realpathOf = (whole: string): string | undefined => {
  try {
    return fs.realpathSync(whole);
  } catch {
    return undefined;
  }
};

/** Copies a folder of a project as it is read: links within the project are followed, and what is not read is left out. */
export const copyWithin = (root: string, folder: string, to: string): void => {
  const inside = fs.realpathSync(root);
  fs.mkdirSync(path.join(to, folder), { recursive: true });
  for (const file of filesWithin(root, folder)) {
    const real = realpathOf(path.join(root, folder, file));
    if (real === undefined || !isWithin(inside, real) || !statusOf(real)?.isFile()) continue;
    const copy = path.join(to, folder, file);
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(real, copy);
  }
};

const isWithin = (folder: string, file: string): boolean => {
  const way = path.relative(folder, file);
  return way !== "" && way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
};
