/** The project of the running command: its folder, its configuration and its own parts. One process works on one project at a time. */
import fs from "node:fs";
import path from "node:path";
import type { ConfigTarget } from "./config.ts";
import { codeRoot } from "./generated-files.ts";
import type { OwnParts } from "./own-parts.ts";
import type { PartGroup } from "./part-names.ts";

export interface Project {
  readonly root: string;
  /** Of its own filters and upstreams, relative to the root. */
  readonly folders: Readonly<Record<PartGroup, string>>;
  /** What `--target` takes besides what every project has. */
  readonly targets: Readonly<Record<string, ConfigTarget>>;
  readonly own: OwnParts;
}

const defaultFolders = { filters: "functions/filters", upstreams: "functions/upstreams" };

const withoutParts = (root: string): Project => ({
  root,
  folders: defaultFolders,
  targets: {},
  own: { parts: [], broken: { filters: [], upstreams: [] }, problems: [], digest: "" },
});

let current: Project = withoutParts(codeRoot);

export const project = (): Project => current;

/**
 * Makes a folder the project of this process, and loads its own parts. Each command begins with it; the dev loop calls it
 * again after edits.
 */
export const useProject = async (folder: string): Promise<Project> => {
  const root = path.resolve(folder);
  current = await open(root);
  return current;
};

const open = async (root: string): Promise<Project> => {
  if (isPostern(root)) return withoutParts(root);
  const project = await withConfig(root);
  const hasFolder = Object.values(project.folders).some((it) => fs.existsSync(path.join(root, it)));
  if (!hasFolder) return project;
  const { loadOwnParts } = await import("./own-parts.ts");
  return { ...project, own: await loadOwnParts(root, project.folders) };
};

const withConfig = async (root: string): Promise<Project> => {
  const file = ["postern.config.ts", "postern.config.js"].find((it) => fs.existsSync(path.join(root, it)));
  if (file === undefined) return withoutParts(root);
  const { filters, upstreams, targets } = await (await import("./load-config.ts")).loadConfig(root, file);
  return { ...withoutParts(root), folders: { filters, upstreams }, targets };
};

/** Whether a folder is Postern's own code, the parts of which are built in. */
export const isPostern = (root: string): boolean =>
  path.resolve(root) === codeRoot ||
  ["ts", "js"].some((extension) => fs.existsSync(path.join(root, `functions/filters/registry.gen.${extension}`)));

/** Where caches are written: beside Postern's code in its repository, in the project where Postern is an installed package. */
export const cacheRoot = (): string => (isPackage(codeRoot) ? current.root : codeRoot);

const isPackage = (folder: string): boolean => folder.split(path.sep).includes("node_modules");

/**
 * Where a reader of a message finds a page of the docs: those of the installed package, by a path of the project.
 * @param page such as `docs/deploy.md#tokens`
 */
export const docsPage = (page: string, { root, code }: { root: string; code: string } = here()): string =>
  isPackage(code) ? path.relative(root, path.join(code, page)) : page;

const here = () => ({ root: current.root, code: codeRoot });
