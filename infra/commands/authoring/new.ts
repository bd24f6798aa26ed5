/** `postern new filter|upstream <name>`: scaffolds a part that passes the law suite. */
import { createRequire } from "node:module";
import path from "node:path";
import { partNames } from "../../gen/registries.ts";
import { builtInFiles, ownFiles, templateOf } from "../../gen/scaffold.ts";
import { codeRoot, writeChanged } from "../../project/generated-files.ts";
import { isReservedName, nameFault, type PartGroup } from "../../project/part-names.ts";
import { isPostern, project, useProject } from "../../project/project.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { gen } from "./gen.ts";

interface Options {
  readonly root: string;
  /** A filter that knows who is calling. */
  readonly identity?: true | undefined;
}

export const scaffold = async (kind: string, name: string, { root, identity }: Options): Promise<Outcome> => {
  if (kind !== "filter" && kind !== "upstream") return usageError(`"${kind}" is neither filter nor upstream`);
  if (identity && kind !== "filter")
    return usageError("only a filter identifies callers: postern new filter <name> --identity");
  const group: PartGroup = kind === "filter" ? "filters" : "upstreams";
  const fault = nameFault(name);
  if (fault !== undefined) return usageError(fault);
  if (isReservedName(group, name))
    return usageError(`"${name}" is a reserved key beside a ${kind}; choose another name`);
  if (partNames(group).includes(name))
    return usageError(`Postern has a ${kind} "${name}" already; choose another name`);
  const template = templateOf(group, identity === true);
  const isOwn = !isPostern(root);
  const folder = project().folders[group];
  const existing = project().own.parts.find((it) => it.group === group && it.name === name);
  if (isOwn && existing) return usageError(`there is a ${kind} "${name}" already: ${existing.file}`);
  const files = isOwn ? ownFiles(folder, group, name, template, hasVitest(root)) : builtInFiles(group, name, template);
  const written = writeChanged(files, isOwn ? root : codeRoot);
  if (isOwn) await useProject(root);
  // In Postern's repository this process has loaded the old registries: it writes them, and a later one reads them.
  const { exitCode, text } = await gen({ root });
  const next = isOwn ? "npx postern test" : "npm test";
  return {
    exitCode,
    text: `${written.map((file) => `wrote ${file}`).join("\n")}\n${text}\n\nNext: describe it in its first comment, then run ${next}`,
    data: { written, kind, name },
  };
};

/** Whether the project has vitest, so that a unit test can run. */
const hasVitest = (root: string): boolean => {
  try {
    return createRequire(path.join(root, "package.json")).resolve("vitest/package.json") !== "";
  } catch {
    return false;
  }
};

const usageError = (text: string): Outcome => ({ exitCode: 2, text, data: { error: text } });
