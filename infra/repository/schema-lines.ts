/** Adds the first line of a manifest or of its cases, which names the schema to editors. */
import fs from "node:fs";
import path from "node:path";
import { readTextWithin } from "../project/files.ts";

export interface SchemaLine {
  /** Relative to the project. */
  readonly file: string;
  /** The file's text with that line. */
  readonly text: string;
}

const schemaLine = /^[ \t]*#[ \t]*(?:yaml-language-server:[ \t]*)?\$schema[=:]/m;

/** Files of `routes/` that lack the line though their schema exists. A line that names another schema stays. */
export const schemaLines = (root: string): SchemaLine[] =>
  [
    ...yamlFiles(root, "routes").map((name) => [name, schemaOf(name), "./"] as const),
    ...yamlFiles(root, "routes/presets").map((name) => [`presets/${name}`, "preset", "../"] as const),
    ...yamlFiles(root, "routes/environments").map((name) => [`environments/${name}`, "environment", "../"] as const),
  ].flatMap(([name, schema, up]) => {
    const file = `routes/${name}`;
    if (!fs.existsSync(path.join(root, "routes", `${schema}.schema.json`))) return [];
    const text = readTextWithin(root, file) ?? "";
    if (schemaLine.test(text)) return [];
    const [, mark = "", rest = ""] = /^(\ufeff?)([\s\S]*)$/.exec(text) ?? [];
    const newline = text.includes("\r\n") ? "\r\n" : "\n";
    return [{ file, text: `${mark}# yaml-language-server: $schema=${up}${schema}.schema.json${newline}${rest}` }];
  });

const schemaOf = (name: string): string => {
  if (name.endsWith(".test.yaml")) return "cases";
  return name === "consumers.yaml" ? "consumers" : "manifest";
};

/** Units have no schema yet. */
const yamlFiles = (root: string, folder: string): string[] => {
  const whole = path.join(root, folder);
  if (!fs.existsSync(whole)) return [];
  return fs
    .readdirSync(whole, { withFileTypes: true })
    .filter((it) => it.isFile() && it.name.endsWith(".yaml") && !it.name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => name !== "units.yaml")
    .sort();
};
