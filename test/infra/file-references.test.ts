/** Paths of this repository that scripts, pages and comments name: each exists, so that a renamed file leaves no stale reference. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

const files = ["docs", "functions", "infra", "routes", "test", "."].flatMap((folder) =>
  fs
    .readdirSync(path.join(root, folder), { recursive: folder !== ".", encoding: "utf8" })
    .map((name) => path.join(folder, name)),
);
const textOf = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

/** A file as texts name it: from the root, and not as the end of a longer path or URL. */
const reference = /(?<![\w./-])(?:functions|infra|test)\/[\w./-]+\.(?:ts|json|txt|mjs)\b/g;

/** Scaffolds that pages create as an example. */
const examples = ["functions/filters/geo-fence.ts", "functions/filters/app-version.ts"];

const missing = (file: string, text: string): string[] =>
  [...text.matchAll(reference)]
    .map(([name]) => name)
    .filter((name) => !examples.includes(name) && !fs.existsSync(path.join(root, name)))
    .map((name) => `${file}: ${name}`);

it("exist in pages and in comments", () => {
  // Pages of problems show files of a project that has them.
  const isOfProject = (file: string) => file.startsWith("docs/reference/problems/part-");
  const pages = files.filter((file) => file.endsWith(".md") && file !== "CHANGELOG.md" && !isOfProject(file));
  const sources = files.filter((file) => file.endsWith(".ts"));
  const commentsOf = (file: string) => (textOf(file).match(/^\s*(?:\/\*\*|\*|\/\/).*$/gm) ?? []).join("\n");
  expect(pages.flatMap((file) => missing(file, textOf(file)))).toEqual([]);
  expect(sources.flatMap((file) => missing(file, commentsOf(file)))).toEqual([]);
});

it("exist in the scripts of package.json, as files or as the beginning of test files", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> };
  const named = Object.values(scripts).flatMap((script) => script.match(/(?<![\w./-])(?:infra|test)\/\S+/g) ?? []);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !files.some((file) => file.startsWith(name)))).toEqual([]);
});
