/** `.gitignore`: secrets and generated files of a project stay out of git. */
import type { GeneratedFile } from "../project/generated-files.ts";

const ignored = [
  "node_modules/",
  ".build/",
  ".state/",
  ".wrangler/",
  ".secrets/",
  "*.curl",
  "routes/environments/preview-*.yaml",
];

/** Adds the lines that an existing file lacks. */
export const gitignore = (before = ""): GeneratedFile => {
  const present = new Set(before.split(/\r?\n/).map(toBareLine));
  const missing = ignored.filter((line) => !present.has(toBareLine(line)));
  const separator = before === "" || before.endsWith("\n") ? "" : "\n";
  return { file: ".gitignore", text: before + (missing.length === 0 ? "" : `${separator}${missing.join("\n")}\n`) };
};

/** `/node_modules` and `node_modules/` ignore the same folder of the root. */
const toBareLine = (line: string): string => line.trim().replace(/^\/|\/$/g, "");
