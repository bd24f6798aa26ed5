/** The project of the running command: its folder and its own parts. One process works on one project at a time. */
import fs from "node:fs";
import path from "node:path";
import { codeRoot } from "./generated-files.ts";
import type { OwnParts } from "./own-parts.ts";
import type { PartGroup } from "./part-names.ts";

export interface Project {
  readonly root: string;
  /** Of its own filters and upstreams, relative to the root. */
  readonly folders: Readonly<Record<PartGroup, string>>;
  readonly own: OwnParts;
}

const defaultFolders = { filters: "functions/filters", upstreams: "functions/upstreams" };

const withoutParts = (root: string): Project => ({
  root,
  folders: defaultFolders,
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
  const project = withoutParts(root);
  const hasFolder = Object.values(project.folders).some((it) => fs.existsSync(path.join(root, it)));
  if (!hasFolder || isPostern(root)) return project;
  const { loadOwnParts } = await import("./own-parts.ts");
  return { ...project, own: await loadOwnParts(root, project.folders) };
};

/** Whether a folder is Postern's own code, the parts of which are built in. */
export const isPostern = (root: string): boolean =>
  path.resolve(root) === codeRoot ||
  ["ts", "js"].some((extension) => fs.existsSync(path.join(root, `functions/filters/registry.gen.${extension}`)));

/** Where caches are written: beside Postern's code in its repository, in the project where Postern is an installed package. */
export const cacheRoot = (): string => (codeRoot.split(path.sep).includes("node_modules") ? current.root : codeRoot);
