/** Plans the files of a new project, and writes those that are not there yet. */
import fs from "node:fs";
import path from "node:path";
import { manifestFiles } from "../compiler/compile.ts";
import { schemas } from "../gen/schemas.ts";
import { readTextWithin, writeWithin } from "../project/files.ts";
import type { GeneratedFile } from "../project/generated-files.ts";
import { gitignore } from "./ignored.ts";
import { packageJson } from "./package-json.ts";
import { commonFiles, type Template, workflows } from "./templates.ts";

export interface Planned {
  /** New files, and existing ones that `--force` replaces. */
  readonly files: readonly GeneratedFile[];
  /** Existing files that only get what they lack. */
  readonly merged: readonly GeneratedFile[];
  readonly notes: readonly string[];
}

export interface ProjectOptions {
  readonly root: string;
  readonly name: string;
  /** Undefined where the project has manifests of its own. */
  readonly template: Template | undefined;
  /** Whether the folder is the root of its repository: GitHub reads workflows only there. */
  readonly withWorkflows: boolean;
}

export const planProject = ({ root, name, template, withWorkflows }: ProjectOptions): Planned => {
  const { notes, ...manifest } = packageJson(readTextWithin(root, "package.json"), name, template?.dependencies ?? {});
  const noWorkflows = "the folder is not the root of its repository, so no workflows were written";
  return {
    files: [
      ...(template?.files ?? []),
      ...schemas(),
      ...commonFiles(name),
      ...(withWorkflows ? workflows(template?.isCovered === true) : []),
    ],
    merged: [manifest, gitignore(readTextWithin(root, ".gitignore"))],
    notes: withWorkflows ? notes : [...notes, noWorkflows],
  };
};

/** Manifests that a template did not write: the project has begun already. */
export const ownManifests = (root: string, { files }: Pick<Template, "files">): string[] => {
  if (!fs.existsSync(path.join(root, "routes"))) return [];
  return manifestFiles(root).filter((it) => !files.some(({ file }) => file === it));
};

export interface Written {
  readonly written: readonly string[];
  /** Existing files with another content, which stay. */
  readonly kept: readonly string[];
}

/** An existing file stays unless `force` is set. */
export const writeProject = (root: string, { files, merged }: Planned, force: boolean): Written => {
  fs.mkdirSync(root, { recursive: true });
  const kept: string[] = [];
  const written: string[] = [];
  const write = ({ file, text }: GeneratedFile) => {
    writeWithin(root, file, text);
    if (isScript(text)) fs.chmodSync(path.join(root, file), 0o755);
    written.push(file);
  };
  for (const it of files) {
    const before = readTextWithin(root, it.file);
    if (before === it.text) continue;
    if (before !== undefined && !force) kept.push(it.file);
    else write(it);
  }
  for (const it of merged) if (readTextWithin(root, it.file) !== it.text) write(it);
  return { written, kept };
};

const isScript = (text: string): boolean => text.startsWith("#!");
