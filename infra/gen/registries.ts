/** Writes the registries: the lists of all filters and of all upstreams, from their files. */
import fs from "node:fs";
import path from "node:path";
import { codeExtension, codeRoot, type GeneratedFile, writeChanged } from "../project/generated-files.ts";

type Group = "filters" | "upstreams";

/** The names of the parts in a folder. */
export const partNames = (group: Group): string[] =>
  fs
    .readdirSync(path.join(codeRoot, "functions", group))
    .filter((name) => name.endsWith(codeExtension) && !/\.(?:gen|d)\.\w+$/.test(name))
    .map((name) => path.basename(name, codeExtension))
    .sort();

/** An identifier for the module. Reserved words, and the list's own name, get an underscore. */
const identifierOf = (name: string, group: Group): string => {
  const camel = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  try {
    new Function(`"use strict"; const ${camel} = 0; async () => { const await_ = ${camel}; };`);
    return camel === group || ["await", "arguments", "eval"].includes(camel) ? `${camel}_` : camel;
  } catch {
    return `${camel}_`;
  }
};

const registrySource = (group: Group, names: readonly string[]): string => {
  const type = group === "filters" ? "FilterModule" : "UpstreamModule";
  return `// Written by \`npm run gen\`: every ${group.slice(0, -1)} there is. Only tools and tests import this.
import type { ${type} } from "../gateway/part.ts";
${names.map((name) => `import * as ${identifierOf(name, group)} from "./${name}.ts";\n`).join("")}
export const ${group}: Readonly<Record<string, ${type}>> = {
${names.map((name) => `  ${identifierOf(name, group) === name ? name : `"${name}": ${identifierOf(name, group)}`},\n`).join("")}};
`;
};

export const registries = (): GeneratedFile[] =>
  (["filters", "upstreams"] as const).map((group) => ({
    file: `functions/${group}/registry.gen.ts`,
    text: registrySource(group, partNames(group)),
  }));

/** Runs before everything that imports a registry. */
export const writeRegistries = (): string[] => writeChanged(registries(), codeRoot);
