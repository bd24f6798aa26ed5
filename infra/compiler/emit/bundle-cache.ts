/**
 * Keeps bundles, so that the same sources are bundled once: a start of the dev loop, a build and a run of cases need most of what the
 * one before needed. An entry holds the digest of every file that went in, and counts only while each is as it was.
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
const mostEntries = 200;

export interface BundleCache {
  /** @param about all that the bundle depends on besides its files, which `make` names */
  readonly get: (keyParts: readonly unknown[], make: () => Promise<Bundled>) => Promise<string>;
}

/**
 * @param folder made when it is needed; whatever fails there costs time and nothing else
 * @param base that files are named from
 */
export const bundleCache = (folder: string, base: string): BundleCache => ({
  get: async (keyParts, make) => {
    const file = path.join(folder, `${digestOf(JSON.stringify(keyParts))}.json`);
    const known = read(file);
    if (known && Object.entries(known.inputs).every(([input, digest]) => digestIn(base, input) === digest))
      return known.text;
    const started = Date.now();
    const { text, inputs } = await make();
    // A file that is edited meanwhile may have gone in as it was before.
    if (inputs.every((input) => isOlder(path.join(base, input), started)))
      keep(folder, file, { inputs: Object.fromEntries(inputs.map((input) => [input, digestIn(base, input)])), text });
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

const read = (file: string): Entry | undefined => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as Entry;
  } catch {
    return undefined;
  }
};

/** Writes a temporary file and renames it, so that no process reads half an entry. */
const keep = (folder: string, file: string, entry: Entry): void => {
  const temporary = `${file}.${randomUUID()}`;
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(temporary, JSON.stringify(entry));
    fs.renameSync(temporary, file);
    forget(folder);
  } catch {
    fs.rm(temporary, { force: true }, () => {});
  }
};

/** The oldest go. */
const forget = (folder: string): void => {
  const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
  if (files.length <= mostEntries) return;
  const dated = files.map((file) => ({ file, at: fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }));
  for (const { file } of dated.toSorted((a, b) => a.at - b.at).slice(0, files.length - mostEntries))
    fs.rmSync(file, { force: true });
};
