/** The templates of `postern new`, which no compiler reads until someone uses them: names in them exist. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { codeRoot } from "../../infra/project/generated-files.ts";

const folder = path.join(codeRoot, "infra/gen/templates");
const readCode = (file: string) => fs.readFileSync(path.join(codeRoot, file), "utf8");

/** Where `postern new` writes what it makes of a template. */
const targetFolder = (template: string) => {
  const group = template.startsWith("upstream") ? "upstreams" : "filters";
  return template.includes(".test.") ? `test/functions/${group}` : `functions/${group}`;
};

/** `file: name` of each name that the template imports from the project. */
const importedNames = (template: string): (readonly [file: string, name: string])[] =>
  [...readCode(`infra/gen/templates/${template}`).matchAll(/import (?:type )?\{ (.+) \} from "(\.[^"]+)"/g)]
    .filter(([, , file = ""]) => !file.includes("__NAME__"))
    .flatMap(([, names = "", file = ""]) =>
      names.split(", ").map((name) => [path.join(targetFolder(template), file), name.replace("type ", "")] as const),
    );

const templates = fs.readdirSync(folder);

it.each(templates)("%s imports what its modules export", (template) => {
  const missing = importedNames(template).filter(
    ([file, name]) => !new RegExp(`^export (?:const|type|interface) ${name}\\b`, "m").test(readCode(file)),
  );
  expect(missing).toEqual([]);
});

it.each(templates.filter((it) => !it.includes(".test.")))("%s writes only keys that a spec has", (template) => {
  const text = readCode(`infra/gen/templates/${template}`);
  const [, spec = ""] = /define(?:Filter|Upstream)\(\{\n([\s\S]*?)\n {2}\}\);/.exec(text) ?? [];
  const keys = [...spec.matchAll(/^ {4}([a-zA-Z]+)\b/gm)].map(([, key]) => key);
  expect(keys.length).toBeGreaterThan(4);
  const known = readCode("functions/gateway/part.ts");
  expect(keys.filter((key) => !new RegExp(`^  readonly ${key}\\??:`, "m").test(known))).toEqual([]);
});
