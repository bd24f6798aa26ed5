/** Writes the registries: the one list of filters and of upstreams, from the files that there are. */
import fs from "node:fs";
import path from "node:path";
import { type Generated, home, writeAll } from "./generated.ts";

type Group = "filters" | "upstreams";

/** The names of the parts in a folder: its files but the registry. */
export const partNames = (group: Group): string[] =>
  fs
    .readdirSync(path.join(home, "functions", group))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".gen.ts"))
    .map((name) => name.replace(/\.ts$/, ""))
    .sort();

const registry = (group: Group, names: readonly string[]): string => {
  const type = group === "filters" ? "FilterModule" : "UpstreamModule";
  const id = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return `// Written by \`npm run gen\`: every ${group.slice(0, -1)} there is. Only tools and tests import this.
import type { ${type} } from "../gateway/part.ts";
${names.map((name) => `import * as ${id(name)} from "./${name}.ts";\n`).join("")}
export const ${group}: Readonly<Record<string, ${type}>> = {
${names.map((name) => `  ${id(name) === name ? name : `"${name}": ${id(name)}`},\n`).join("")}};
`;
};

export const registries = (): Generated[] =>
  (["filters", "upstreams"] as const).map((group) => ({
    file: `functions/${group}/registry.gen.ts`,
    text: registry(group, partNames(group)),
  }));

/** Comes before everything that imports a registry. */
export const writeRegistries = (): string[] => writeAll(registries(), home);
