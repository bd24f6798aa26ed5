/**
 * Caches bundles on disk, so that the same sources are bundled once across the dev loop, builds and runs of cases. An entry
 * holds the digest of every input file, and is valid only while all of them match.
 */
import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

interface Entry {
  /** Digests of contents, by file. */
  readonly inputs: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

interface Bundled {
  readonly text: string;
  /** Files, from the cache's base. */
  readonly inputs: readonly string[];
}

/** A project has a few dozen, each up to a few hundred kilobytes. */
const maxEntries = 200;

export interface BundleCache {
  /** @param keyParts all that the bundle depends on besides its input files, which `make` returns */
  readonly get: (keyParts: readonly unknown[], make: () => Promise<Bundled>) => Promise<string>;
}

/**
 * @param folder created when needed; an error there costs time and nothing else
 * @param base the folder that input files are relative to
 */
export const bundleCache = (folder: string, base: string): BundleCache => ({
  get: async (keyParts, make) => {
    const file = path.join(folder, `${digestOf(JSON.stringify(keyParts))}.json`);
    const known = readEntry(file);
    if (known && Object.entries(known.inputs).every(([input, digest]) => digestIn(base, input) === digest))
      return known.text;
    const started = Date.now();
    const { text, inputs } = await make();
    // A file that was edited meanwhile may have been bundled as it was before.
    if (inputs.every((input) => isOlder(path.join(base, input), started)))
      writeEntry(folder, file, {
        inputs: Object.fromEntries(inputs.map((input) => [input, digestIn(base, input)])),
        text,
      });
    return text;
  },
});

const digestOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

const digestIn = (base: string, file: string): string | undefined => {
  try {
    return digestOf(fs.readFileSync(path.join(base, file)));
  } catch {
    return undefined;
  }
};

/** File systems are not exact to the millisecond. */
const slackMs = 50;

const isOlder = (file: string, than: number): boolean =>
  (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) < than - slackMs;

/** @returns undefined if there is no entry, or it is damaged */
const readEntry = (file: string): Entry | undefined => {
  try {
    const entry = JSON.parse(fs.readFileSync(file, "utf8")) as Partial<Entry> | null;
    const { inputs, text } = entry ?? {};
    return typeof inputs === "object" && inputs !== null && typeof text === "string" ? { inputs, text } : undefined;
  } catch {
    return undefined;
  }
};

/** Writes a temporary file and renames it, so that no process reads half an entry. */
const writeEntry = (folder: string, file: string, entry: Entry): void => {
  const temporary = `${file}.${randomUUID()}`;
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(temporary, JSON.stringify(entry));
    fs.renameSync(temporary, file);
    evictOldest(folder);
  } catch {
    fs.rm(temporary, { force: true }, () => {});
  }
};

const evictOldest = (folder: string): void => {
  const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
  if (files.length <= maxEntries) return;
  const dated = files.map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  for (const { file } of dated.toSorted((a, b) => a.at - b.at).slice(0, files.length - maxEntries))
    fs.rmSync(file, { force: true });
};
