/** Reads the first comment of a part's file: what it does, in a sentence for operators. */
import fs from "node:fs";
import path from "node:path";
import { codeExtension, codeRoot } from "../project/generated-files.ts";
import { project } from "../project/project.ts";

/** @throws if the file begins with no comment */
export const summaryOf = (group: "filters" | "upstreams", name: string): string => {
  const { root, own } = project();
  const part = own.parts.find((it) => it.group === group && it.name === name);
  const file = part?.file ?? `functions/${group}/${name}${codeExtension}`;
  const source = fs.readFileSync(path.join(part ? root : codeRoot, file), "utf8");
  const [, text] = /^\/\*\*\s*([\s\S]*?)\s*\*\//.exec(source) ?? [];
  if (text === undefined) throw new Error(`${file} begins with no comment; it is the part's line in the docs`);
  return text.replaceAll(/\s*\n\s*\*\s*/g, " ");
};
