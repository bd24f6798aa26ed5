/** Reads what a new project is made of: templates, the sample tiers, workflows. All of it stands beside the code. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot, type GeneratedFile } from "../project/generated-files.ts";

/** Folders and files that `postern init` reads, so a package of Postern holds them. */
export const initSources = [
  "infra/init/templates",
  "infra/dev/services",
  "routes",
  ".github/workflows",
  ".github/scripts",
] as const;

type Source = (typeof initSources)[number];

/** The files beneath a folder of the code, by their names from there. */
export const filesOf = (folder: Source | `${Source}/${string}`): GeneratedFile[] =>
  fs
    .readdirSync(path.join(codeRoot, folder), { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .sort()
    .map((file) => ({
      file: path.relative(path.join(codeRoot, folder), file).replaceAll(path.sep, "/"),
      text: fs.readFileSync(file, "utf8"),
    }));

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Postern's own `package.json`. */
export const ownPackage = (): Package => JSON.parse(fs.readFileSync(path.join(codeRoot, "package.json"), "utf8"));
