/**
 * Loads the modules of a project's own parts. esbuild bundles them into one module, so that they may be TypeScript on any
 * Node, below `node_modules` too, and modules that several parts share exist once.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildFailure, BuildOptions, Message } from "esbuild";
import { bundleCache } from "./bundle-cache.ts";
import { codeRoot } from "./generated-files.ts";
import { loadedCopies } from "./own-copies.ts";
import { type CodeProblem, problemOf, toOneLine } from "./problem-at.ts";
import { tryModule } from "./trial.ts";

export interface Loaded {
  /** The exports of each file that could be loaded, by file. */
  readonly modules: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly problems: readonly CodeProblem[];
  /** Changes with any byte of the code. */
  readonly digest: string;
}

/** With everything that the parts import from the project. */
const maxBytes = 16 * 1024 * 1024;
/** Of one report. */
const maxProblems = 50;

/** @param files relative to the project */
export const loadModules = async (root: string, files: readonly string[]): Promise<Loaded> => {
  try {
    return await loadBundled(root, files, []);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    // Some cannot be bundled. Each by itself says which, and what is wrong with it.
    const results = await Promise.all(
      files.map((file) => bundleOf(root, [file]).then(() => [], problemsOf(root, file))),
    );
    const good = files.filter((_, index) => results[index]?.length === 0);
    return loadBundled(root, good, results.flat().slice(0, maxProblems));
  }
};

const loadBundled = async (root: string, files: readonly string[], before: readonly CodeProblem[]): Promise<Loaded> => {
  const text = await bundleOf(root, files);
  if (text.length > maxBytes)
    throw new Error(`the project's filters and upstreams, with what they import, exceed ${maxBytes} bytes`);
  const digest = createHash("sha256").update(text).digest("hex");
  const module = writeModule(root, digest, text);
  const failed = await tryModule(module);
  if (failed) {
    const file = files[failed.index] ?? "";
    const problem = problemOf(file, "part-broken", failed.why, atLoad);
    if (before.length >= maxProblems) return { modules: new Map(), problems: before, digest };
    return loadBundled(
      root,
      files.filter((it) => it !== file),
      [...before, problem],
    );
  }
  const { load } = (await import(pathToFileURL(module).href)) as {
    readonly load: readonly (() => Promise<Readonly<Record<string, unknown>>>)[];
  };
  const modules = new Map<string, Readonly<Record<string, unknown>>>();
  const problems = [...before];
  for (const [index, file] of files.entries())
    try {
      modules.set(file, (await withoutStdout(async () => load[index]?.())) ?? {});
    } catch (error) {
      problems.push(thrownProblem(root, file, text, error));
    }
  return { modules, problems, digest };
};

const atLoad = "do at module level nothing that can fail; make() may throw";

/** What a command prints to stdout may be read by a program, so what a part prints goes to stderr. */
const withoutStdout = async <Result>(load: () => Promise<Result>): Promise<Result> => {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  try {
    return await load();
  } finally {
    process.stdout.write = write;
  }
};

/** The text of the module: one function for each file, so that a file that throws stops no other. */
const bundleOf = (root: string, files: readonly string[]): Promise<string> =>
  bundleCache(path.join(root, ".build/parts"), root).get([options, files, versionText(), ...copies()], async () => {
    const esbuild = await import("esbuild");
    const imports = files.map((file) => `() => import(${JSON.stringify(path.join(root, file))})`);
    const { outputFiles, metafile } = await esbuild.build({
      ...options,
      absWorkingDir: root,
      // Not written there; the source map counts from it.
      outfile: path.join(root, moduleFolder, "parts.mjs"),
      stdin: { contents: `export const load = [${imports.join(", ")}];`, resolveDir: root, sourcefile },
      plugins: [loadedCopies],
    });
    return {
      text: outputFiles?.[0]?.text ?? "",
      inputs: Object.keys(metafile?.inputs ?? {}).filter((input) => path.basename(input) !== sourcefile),
    };
  });

const sourcefile = "own parts";
const moduleFolder = ".build/parts/modules";

const options = {
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  target: "es2024",
  sourcemap: "inline",
  legalComments: "none",
  logLevel: "silent",
  logLimit: 0,
  metafile: true,
} as const satisfies BuildOptions;

/** Where the copies are that the text imports by their paths: another version of Postern beside this one has others. */
const copies = (): readonly string[] => [codeRoot, import.meta.resolve("zod")];

const versionText = (): string => fs.readFileSync(path.join(codeRoot, "package.json"), "utf8");

/** Modules of earlier edits, and marks that they were tried. A process that runs may still import the latest ones. */
const maxModules = 40;

const writeModule = (root: string, digest: string, text: string): string => {
  const folder = path.join(root, moduleFolder);
  const file = path.join(folder, `${digest.slice(0, 32)}.mjs`);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(folder, { recursive: true });
  const known = fs.readdirSync(folder).map((name) => path.join(folder, name));
  const at = (it: string) => fs.statSync(it, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (const old of known.toSorted((a, b) => at(b) - at(a)).slice(maxModules - 1)) fs.rmSync(old, { force: true });
  // Write and rename, so that no other process imports half a file.
  fs.writeFileSync(`${file}.${process.pid}`, text);
  fs.renameSync(`${file}.${process.pid}`, file);
  return file;
};

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);

const problemsOf =
  (root: string, file: string) =>
  (error: unknown): CodeProblem[] => {
    if (!isBuildFailure(error)) throw error;
    return error.errors.map((it) => buildProblem(root, file, it));
  };

const buildProblem = (root: string, file: string, { text, location }: Message): CodeProblem => {
  const missing = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  const remedy =
    missing === undefined
      ? "mend it; the project's checks use nothing of this file until then"
      : /^\.{0,2}\//.test(missing)
        ? "mend the path"
        : `npm install ${missing}`;
  const whole = problemOf(file, "part-broken", text, remedy);
  if (!location) return whole;
  const place = path.relative(root, path.resolve(root, location.file));
  // What is wrong in a package is reported for the part that imports it.
  if (place.startsWith("..") || place.split(path.sep).includes("node_modules"))
    return { ...whole, message: toOneLine(`${text} (in ${place})`) };
  // esbuild counts bytes, and an error at the end of a line stands behind it.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString().length;
  const column = Math.min(before, Math.max(0, location.lineText.length - 1));
  return {
    ...whole,
    file: place.split(path.sep).join("/"),
    line: Math.max(1, location.line),
    column: column + 1,
    length: Math.max(1, Math.min(location.length, location.lineText.length - column)),
    source: location.lineText,
  };
};

/** The problem of a file that throws when it is loaded, at the line that throws. */
const thrownProblem = (root: string, file: string, text: string, error: unknown): CodeProblem => {
  const message = `the file throws when it is loaded: ${error instanceof Error ? error.message : String(error)}`;
  const whole = problemOf(file, "part-broken", message, atLoad);
  const found = thrownAt(root, text, (error instanceof Error && error.stack) || "");
  if (!found || !fs.existsSync(found.file)) return whole;
  const place = path.relative(root, found.file);
  if (place.startsWith("..") || place.split(path.sep).includes("node_modules")) return whole;
  const source = fs.readFileSync(found.file, "utf8").split("\n")[found.line - 1] ?? "";
  const column = Math.min(found.column, Math.max(1, source.length));
  const length = Math.max(1, source.length - column + 1);
  return { ...whole, file: place.split(path.sep).join("/"), line: found.line, column, length, source };
};

interface Place {
  readonly file: string;
  /** From 1, as the column. */
  readonly line: number;
  readonly column: number;
}

/** Of the topmost call: by the source map, unless Node has applied it already (`--enable-source-maps`). */
const thrownAt = (root: string, text: string, stack: string): Place | undefined => {
  const [, file, line, column] = /((?:file:\/\/)?\/[^\s()]+\.(?:mjs|[jt]s)):(\d+):(\d+)/.exec(stack) ?? [];
  if (file === undefined) return undefined;
  const place = {
    file: file.startsWith("file:") ? fileURLToPath(file) : file,
    line: Number(line),
    column: Number(column),
  };
  if (!place.file.endsWith(".mjs")) return place;
  const [, encoded] = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(text) ?? [];
  if (encoded === undefined) return undefined;
  const map = new SourceMap(JSON.parse(Buffer.from(encoded, "base64").toString()));
  const entry = map.findEntry(place.line - 1, place.column - 1);
  if (!("originalSource" in entry)) return undefined;
  const source = entry.originalSource;
  return {
    file: path.resolve(root, moduleFolder, source.startsWith("file:") ? fileURLToPath(source) : source),
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
};
