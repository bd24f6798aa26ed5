/** Lays out the files of the npm package in a folder, and packs them. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "../project/generated-files.ts";
import { compile } from "./compile.ts";
import { entryPoints, sources, verbatim } from "./contents.ts";
import { createManifest, packageManifest, type RepositoryManifest } from "./manifest.ts";
import { reachable, withFirstComment, withJavaScriptPaths } from "./modules.ts";

export interface Packed {
  readonly name: string;
  readonly version: string;
  /** The tarball. */
  readonly file: string;
  /** Of the tarball, in bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

const work = path.join(codeRoot, ".build/package");

export const repositoryManifest = (): RepositoryManifest =>
  JSON.parse(fs.readFileSync(path.join(codeRoot, "package.json"), "utf8")) as RepositoryManifest;

/** Empties a folder for a package. */
const openStage = (name: string) => {
  const folder = path.join(work, name);
  fs.rmSync(folder, { recursive: true, force: true });
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  };
  /** With its mode: a shell script stays executable. */
  const copy = (file: string, as = file): void => {
    fs.mkdirSync(path.dirname(path.join(folder, as)), { recursive: true });
    fs.copyFileSync(path.join(codeRoot, file), path.join(folder, as));
  };
  return { folder, write, copy };
};

/**
 * The types of the runtime, which declarations of `functions/` name as globals: without them each would
 * be `any`, without an error.
 */
export const runtimeTypes = '/// <reference types="@cloudflare/workers-types" />\n';

/**
 * @param version another than the repository's, for tests of upgrades
 * @param name of the folder
 * @returns the folder of the package
 */
export const stage = (version: string = repositoryManifest().version, name = "postern"): string => {
  const compiled = compile();
  const { folder, write, copy } = openStage(name);
  for (const source of sources()) {
    const file = source.replace(/\.ts$/, ".js");
    const text = fs.readFileSync(path.join(compiled, file), "utf8");
    write(file, withFirstComment(fs.readFileSync(path.join(codeRoot, source), "utf8"), text));
  }
  const declarations = Object.values(entryPoints).map((it) => it.replace(/\.ts$/, ".d.ts"));
  const readDeclaration = (file: string) => {
    const from = [compiled, codeRoot].map((it) => path.join(it, file)).find((it) => fs.existsSync(it));
    return from && withJavaScriptPaths(fs.readFileSync(from, "utf8"));
  };
  for (const [file, text] of reachable(declarations, readDeclaration))
    write(file, declarations.includes(file) && file.startsWith("functions/") ? runtimeTypes + text : text);
  for (const file of verbatim()) {
    copy(file);
    if (file.endsWith(".js")) write(file, withJavaScriptPaths(fs.readFileSync(path.join(codeRoot, file), "utf8")));
  }
  const top = fs.readdirSync(folder).sort();
  const manifest = packageManifest({ ...repositoryManifest(), version }, top);
  write("package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
};

/** @returns the folder of `create-postern`, the package behind `npm create postern` */
export const stageCreate = (version: string = repositoryManifest().version): string => {
  const { folder, write, copy } = openStage("create-postern");
  const own = JSON.parse(fs.readFileSync(path.join(codeRoot, "create/package.json"), "utf8")) as Record<
    string,
    unknown
  >;
  copy("create/create-postern.js", "create-postern.js");
  copy("LICENSE");
  write("package.json", `${JSON.stringify(createManifest(own, { ...repositoryManifest(), version }), null, 2)}\n`);
  return folder;
};

const npmTimeoutMs = 120_000;

/** @returns the tarball of a staged package */
export const pack = (folder: string, destination: string = work): Packed => {
  fs.mkdirSync(destination, { recursive: true });
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
  const output = execFileSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    timeout: npmTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [found] = JSON.parse(output) as readonly Listing[];
  if (!found) throw new Error(`npm pack made nothing of ${folder}`);
  return {
    name: found.name,
    version: found.version,
    file: path.join(destination, found.filename),
    size: found.size,
    unpackedSize: found.unpackedSize,
    files: found.files.map((it) => it.path).sort(),
  };
};

/** What `npm pack --json` says of a package. */
interface Listing {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}
