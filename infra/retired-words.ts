/** Finds words in code, tests and docs that docs/glossary.md has retired. `npm run check` runs it. */
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const glossary = "docs/glossary.md";

/** What is searched: files that people write, or that are generated from their texts. */
const searched = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "functions", "infra", "routes", "test"];
const isSearched = (file: string) =>
  /\.(?:ts|md|json|ya?ml|txt|svg)$/.test(file) && file !== glossary && file !== "infra/retired-words.ts";

/** Terms of standards, names of products and phrases of the language that contain a retired word. */
const standardTerms = /hop-?by-?hop|hop by hop|origin-hop|x-hop|front[ -]?door|teamcity|crowdstrike|unheard-of/gi;

/** Fields in storage, answers and traces that keep their names: only comments and pages are checked for these. */
const storedNames = new Set(["asked", "told", "heard", "untold", "patience"]);
const isComment = (line: string) => /^\s*(?:\/?\*|\/\/)/.test(line);

/** @returns each retired word, in lower case, with the word to write in its place */
const retiredWords = (): ReadonlyMap<string, string> => {
  const [, section = ""] = fs.readFileSync(path.join(root, glossary), "utf8").split("\n## Retired words\n");
  const rows = [...section.matchAll(/^\| (?!retired )([a-z]+) \| (.+) \|$/gm)].map(
    ([, word = "", instead = ""]) => [word, instead] as const,
  );
  if (rows.length === 0) throw new Error(`${glossary} has no table of retired words`);
  return new Map(rows);
};

/** @returns the words of a line; `camelCase` and `snake_case` are several */
const wordsOf = (line: string): string[] =>
  line
    .replace(standardTerms, "")
    .match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g)
    ?.map((word) => word.toLowerCase()) ?? [];

const filesIn = (name: string): string[] =>
  fs.statSync(path.join(root, name)).isFile()
    ? [name]
    : fs.readdirSync(path.join(root, name), { recursive: true, encoding: "utf8" }).map((file) => path.join(name, file));

const retired = retiredWords();
const findings = searched
  .flatMap(filesIn)
  .filter(isSearched)
  .flatMap((file) =>
    fs
      .readFileSync(path.join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        [...new Set(wordsOf(line))]
          .filter((word) => retired.has(word))
          .filter((word) => !storedNames.has(word) || !file.endsWith(".ts") || isComment(line))
          .map((word) => `${file}:${index + 1}  "${word}" is retired: write ${retired.get(word)}`),
      ),
  );
for (const finding of findings) console.error(finding);
if (findings.length > 0) {
  console.error(`${findings.length} retired words; ${glossary} has the list`);
  process.exitCode = 1;
}
