/** Reads and writes files of a project: nothing outside of it, regular files only, and within a bound. */
import fs from "node:fs";
import path from "node:path";

/** A file that is not read or written, and why. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly reason: FileErrorReason;
  /** Bytes of a file that is too large. */
  readonly size: number | undefined;
  constructor(file: string, reason: FileErrorReason, size?: number) {
    super(`${file}: ${reasons[reason]}${size === undefined ? "" : ` (${size} bytes)`}`);
    this.reason = reason;
    this.size = size;
  }
}

export type FileErrorReason = keyof typeof reasons;

export const reasons = {
  missing: "there is no such file",
  dangling: "the file is a broken link",
  circular: "the file is a circular link",
  outside: "the file is a link out of the project",
  folder: "this is a folder, not a file",
  special: "this is a device, a socket or a pipe, not a file",
  denied: "this user may not read the file",
  large: "the file is too large",
  unreadable: "the file cannot be read",
} as const;

const reasonByCode: Readonly<Record<string, FileErrorReason>> = {
  ELOOP: "circular",
  EISDIR: "folder",
  EACCES: "denied",
  EPERM: "denied",
  ENXIO: "special",
};

const errorReason = (fullPath: string, error: unknown): FileErrorReason => {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return isLink(fullPath) ? "dangling" : "missing";
  return reasonByCode[code] ?? "unreadable";
};

const isLink = (fullPath: string): boolean =>
  fs.lstatSync(fullPath, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/**
 * Reads a file of a folder. A link within the folder is followed.
 * @throws FileError
 */
export const readWithin = (root: string, file: string, maxBytes: number): Buffer => {
  const fullPath = path.join(root, file);
  let real: string;
  try {
    real = fs.realpathSync(fullPath);
  } catch (error) {
    throw new FileError(file, errorReason(fullPath, error));
  }
  if (!isWithin(fs.realpathSync(root), real)) throw new FileError(file, "outside");
  return readBounded(real, maxBytes, file);
};

/**
 * Reads a file as text.
 * @returns undefined if there is no such file
 * @throws FileError for any other reason
 */
export const readTextWithin = (root: string, file: string, maxBytes = maxTextBytes): string | undefined => {
  try {
    return readWithin(root, file, maxBytes).toString("utf8");
  } catch (error) {
    if (error instanceof FileError && error.reason === "missing") return undefined;
    throw error;
  }
};

/** In bytes. Documents are the largest texts of a project. */
const maxTextBytes = 64 * 1024 * 1024;

/**
 * Reads a file that was named on the command line, wherever it is.
 * @throws FileError
 */
export const readBounded = (fullPath: string, maxBytes: number, label = fullPath): Buffer => {
  let handle: number;
  try {
    // Without O_NONBLOCK a pipe without a writer would block.
    handle = fs.openSync(fullPath, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    throw new FileError(label, errorReason(fullPath, error));
  }
  try {
    const status = fs.fstatSync(handle);
    if (status.isDirectory()) throw new FileError(label, "folder");
    if (!status.isFile()) throw new FileError(label, "special");
    if (status.size > maxBytes) throw new FileError(label, "large", status.size);
    const bytes = Buffer.alloc(status.size);
    // A file that grows meanwhile is read up to its size at the start.
    const read = fs.readSync(handle, bytes, 0, bytes.length, 0);
    return bytes.subarray(0, read);
  } finally {
    fs.closeSync(handle);
  }
};

/** UTF-8, or UTF-16 by its byte order mark: PowerShell's `>` writes that. */
export const detectEncoding = (bytes: Buffer): "utf-8" | "utf-16le" | "utf-16be" => {
  const mark = bytes.subarray(0, 2).toString("hex");
  return mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
};

/**
 * Reads standard input to its end.
 * @throws FileError
 */
export const readInput = (maxBytes: number): Buffer => {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const read = fs.readSync(0, chunk);
    if (read === 0) return Buffer.concat(chunks);
    size += read;
    if (size > maxBytes) throw new FileError("-", "large");
    chunks.push(chunk.subarray(0, read));
  }
};

/**
 * Writes a file of a folder, and creates missing folders.
 * @param isPrivate no other user may read it, and its folder stays out of git, whatever the project ignores
 * @throws FileError if a link would lead out of the folder
 */
export const writeWithin = (root: string, file: string, text: string, { isPrivate = false } = {}): void => {
  const fullPath = path.join(root, file);
  const folder = path.dirname(fullPath);
  fs.mkdirSync(folder, { recursive: true, ...(isPrivate && { mode: 0o700 }) });
  if (!isWithin(fs.realpathSync(root), path.join(fs.realpathSync(folder), path.basename(fullPath))))
    throw new FileError(file, "outside");
  if (isLink(fullPath)) {
    if (!fs.existsSync(fullPath)) throw new FileError(file, "dangling");
    if (!isWithin(fs.realpathSync(root), fs.realpathSync(fullPath))) throw new FileError(file, "outside");
  }
  if (isPrivate) ignoreFolder(folder);
  fs.writeFileSync(fullPath, text, isPrivate ? { mode: 0o600 } : {});
};

/** A project that was not made by `postern init` may lack the line for it. */
const ignoreFolder = (folder: string): void => {
  const file = path.join(folder, ".gitignore");
  if (!fs.existsSync(file) && !isLink(file)) fs.writeFileSync(file, "*\n");
};

/** Bound of files and folders. Links can turn a few folders into any number of paths. */
const maxEntries = 10_000;

/**
 * Paths of the files beneath a folder of a project, relative to the folder and sorted. A link to a folder is followed within
 * the project, but not in a circle. A link to a file is listed, wherever it leads.
 * @throws if there are more than `maxEntries`
 */
export const listFilesWithin = (root: string, folder: string): string[] => {
  const realRoot = realpathOf(root);
  const found: string[] = [];
  let entries = 0;
  const walk = (relative: string, ancestors: readonly string[]): void => {
    const fullPath = path.join(root, folder, relative);
    const real = realpathOf(fullPath);
    if (realRoot === undefined || real === undefined || !isWithin(realRoot, real) || ancestors.includes(real)) return;
    for (const entry of fs.readdirSync(real, { withFileTypes: true }).toSorted(byName)) {
      if (++entries > maxEntries) throw new Error(`${folder} holds more than ${maxEntries} files and folders`);
      const file = path.join(relative, entry.name);
      const isDeeper = entry.isSymbolicLink() ? isFolder(path.join(fullPath, entry.name)) : entry.isDirectory();
      if (isDeeper) walk(file, [...ancestors, real]);
      else found.push(file);
    }
  };
  if (isFolder(path.join(root, folder))) walk("", []);
  return found;
};

/** Names of the YAML files that stand in a folder of a project, without `.yaml`, in order. */
export const yamlNames = (root: string, folder: string): string[] => {
  const whole = path.join(root, folder);
  if (!fs.existsSync(whole)) return [];
  return fs
    .readdirSync(whole, { withFileTypes: true })
    .filter((it) => !it.isDirectory() && it.name.endsWith(".yaml") && !it.name.startsWith("."))
    .map((it) => it.name.replace(/\.yaml$/, ""))
    .sort();
};

const byName = (a: fs.Dirent, b: fs.Dirent): number => (a.name < b.name ? -1 : 1);

const statusOf = (fullPath: string): fs.Stats | undefined => {
  try {
    return fs.statSync(fullPath, { throwIfNoEntry: false });
  } catch {
    // A link to itself, or a folder without permission.
    return undefined;
  }
};

const isFolder = (fullPath: string): boolean => statusOf(fullPath)?.isDirectory() === true;

const realpathOf = (fullPath: string): string | undefined => {
  try {
    return fs.realpathSync(fullPath);
  } catch {
    return undefined;
  }
};

/** Copies a folder of a project. Links within the project are followed, and unreadable files are left out. */
export const copyWithin = (root: string, folder: string, to: string): void => {
  const realRoot = fs.realpathSync(root);
  fs.mkdirSync(path.join(to, folder), { recursive: true });
  for (const file of listFilesWithin(root, folder)) {
    const real = realpathOf(path.join(root, folder, file));
    if (real === undefined || !isWithin(realRoot, real) || !statusOf(real)?.isFile()) continue;
    const copy = path.join(to, folder, file);
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(real, copy);
  }
};

const isWithin = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
};
