/** Edits of an environment's YAML: text goes in, and everything else, comments included, stays as it is. */
import fs from "node:fs";
import path from "node:path";
import type { Environment } from "../../functions/manifest/environment.ts";
import { readEnvironment } from "../compiler/check/shared-files.ts";
import type { NamedFile } from "../compiler/model/checked.ts";

/**
 * Writes the text and reads the environment again.
 * @param isRight whether the environment is as it should be now
 * @returns false if it is not; the file is as it was then
 */
export const editEnvironment = (
  root: string,
  { name, file }: Pick<NamedFile<Environment>, "name" | "file">,
  edit: (text: string) => string,
  isRight: (value: Environment) => boolean,
): boolean => {
  const whole = path.join(root, file);
  const before = fs.readFileSync(whole, "utf8");
  const problems = readEnvironment(root, name, undefined).problems.length;
  replaceText(whole, edit(before));
  const after = readEnvironment(root, name, undefined);
  if (after.problems.length <= problems && isRight(after.environment.value)) return true;
  replaceText(whole, before);
  return false;
};

/** Whole or not at all, also if the command is interrupted. */
const replaceText = (file: string, text: string): void => {
  const real = fs.realpathSync(file);
  const fresh = `${real}.${process.pid}`;
  fs.writeFileSync(fresh, text, { mode: fs.statSync(real).mode });
  fs.renameSync(fresh, real);
};

export const appendSection = (section: string) => (text: string) => `${text.trimEnd()}\n\n${section}`;

/** Below the line `operators:` of a block; a text without one stays as it is. */
export const addOperatorLine = (line: string) => (text: string) =>
  text.replace(/^( +)operators:[ \t]*(?:#.*)?\n/m, (head, indent: string) => `${head}${indent}  ${line}\n`);
