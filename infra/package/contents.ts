/** What the npm package holds: the layout of this repository, compiled, without what only this repository uses. */
import fs from "node:fs";
import path from "node:path";
import { initSources } from "../init/sources.ts";
import { codeRoot } from "../project/generated-files.ts";

/** What each path that people import is, as a source file. */
export const entryPoints = {
  ".": "infra/run.ts",
  "./filter": "functions/authoring.ts",
  "./testing": "functions/testing.ts",
  "./config": "infra/project/config.ts",
} as const satisfies Readonly<Record<string, string>>;

/** Tools of this repository: benchmarks, simulations, the lock, the glossary, and the maker of the package. */
const isTool = (file: string): boolean =>
  /^infra\/(?:bench|package|sim)\/|^infra\/(?:lock|retired-words)\.ts$/.test(file);

/** Files that `postern init` copies as they are, TypeScript too. */
const isTemplate = (file: string): boolean => /^infra\/[^/]+\/templates\//.test(file);

const isForTools = (file: string): boolean => /(?:^|\/)(?:tsconfig\.json|\.DS_Store)$/.test(file);

/** Schemas, which `postern gen` writes with the parts of a project, and environments of previews. */
const isMadeHere = (file: string): boolean => /\.schema\.json$|\/environments\/preview-/.test(file);

/** @returns files below a folder of the repository, from its root */
const filesOf = (folder: string): string[] =>
  fs
    .readdirSync(path.join(codeRoot, folder), { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => path.relative(codeRoot, path.join(it.parentPath, it.name)).split(path.sep).join("/"))
    .sort();

const code = (): string[] => [...filesOf("functions"), ...filesOf("infra")].filter((it) => !isTool(it));

const isSource = (file: string): boolean => file.endsWith(".ts") && !file.endsWith(".d.ts") && !isTemplate(file);

/** TypeScript files, each of which becomes a JavaScript file. */
export const sources = (): string[] => code().filter(isSource);

/** Files that are packed as they are. */
export const verbatim = (): string[] => [
  ...["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"],
  ...code().filter((it) => isTemplate(it) || !(it.endsWith(".ts") || isForTools(it))),
  ...filesOf("docs"),
  // What `postern init` makes a project of.
  ...initSources
    .filter((it) => !it.startsWith("infra/"))
    .flatMap(filesOf)
    .filter((it) => !isMadeHere(it)),
];
