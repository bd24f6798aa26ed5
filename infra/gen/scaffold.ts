/** The files of `postern new`: a part that passes the law suite, and its test. */
import fs from "node:fs";
import path from "node:path";
import type { GeneratedFile } from "../project/generated-files.ts";
import { kindOf, type PartGroup } from "../project/part-names.ts";

const templates = path.join(import.meta.dirname, "templates");

/** @param template `filter`, `identity` or `upstream` */
const filled = (template: string, name: string): string =>
  fs.readFileSync(path.join(templates, template), "utf8").replaceAll("__NAME__", name);

export const templateOf = (group: PartGroup, identity: boolean): string => (identity ? "identity" : kindOf(group));

/** In Postern's own repository, where parts import the modules that they need. */
export const builtInFiles = (group: PartGroup, name: string, template: string): GeneratedFile[] => [
  { file: `functions/${group}/${name}.ts`, text: filled(`${template}.ts.txt`, name) },
  { file: `test/functions/${group}/${name}.test.ts`, text: filled(`${template}.test.ts.txt`, name) },
];

/**
 * In a project that uses Postern: the same, with the public names of modules.
 * @param folder of the project's parts
 */
export const ownFiles = (
  folder: string,
  group: PartGroup,
  name: string,
  template: string,
  withTest: boolean,
): GeneratedFile[] => [
  { file: `${folder}/${name}.ts`, text: withPublicImports(filled(`${template}.ts.txt`, name)) },
  ...(withTest
    ? [{ file: `${folder}/${name}.test.ts`, text: ownTest(group, filled(`${template}.test.ts.txt`, name)) }]
    : []),
];

const relativeImport = /^import (type )?\{ (.+) \} from "\.\.\/(?:gateway|manifest)\/[^"]+";\n/gm;

/** One import of `postern/filter` in place of those of modules within Postern. */
const withPublicImports = (text: string): string => {
  const names = [...text.matchAll(relativeImport)].flatMap(([, type = "", list = ""]) =>
    list.split(", ").map((it) => (it.startsWith("type ") ? it : type + it)),
  );
  const sorted = names.toSorted((a, b) => bare(a).localeCompare(bare(b), "en", { sensitivity: "base" }));
  const line = `import { ${sorted.join(", ")} } from "postern/filter";\n`;
  const statement =
    line.length > maxLine ? `import {\n${sorted.map((it) => `  ${it},\n`).join("")}} from "postern/filter";\n` : line;
  const [first] = text.match(relativeImport) ?? [""];
  return text.replace(first, () => statement).replaceAll(relativeImport, "");
};

const maxLine = 120;

const bare = (name: string): string => name.replace(/^type /, "");

/** A test beside the part, with the harness that the package exports. */
const ownTest = (group: PartGroup, text: string): string =>
  text.replace(`"../../../functions/${group}/`, '"./').replace('"../gate-harness.ts"', '"postern/testing"');
