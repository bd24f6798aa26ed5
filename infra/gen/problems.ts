/** A page for each code of a check: what it means, a manifest that has it, and what is printed then. */
import fs from "node:fs";
import path from "node:path";
import { problemCodes } from "../diagnostics/codes.ts";
import { type Generated, home, written } from "../project/generated-files.ts";

interface Example {
  readonly files: string;
  readonly shown: string;
}

const folder = "test/golden/problems";

/** What the golden cases say, which a test keeps true; the shortest case of a code is its example. */
const examples = (): ReadonlyMap<string, Example> => {
  const found = new Map<string, Example>();
  for (const name of fs.readdirSync(path.join(home, folder)).sort()) {
    const text = fs.readFileSync(path.join(home, folder, name), "utf8");
    const [input = "", output = ""] = text.split(/^-- problems --\n/m);
    const files = input.slice(input.indexOf("-- routes/"));
    for (const shown of output.split("\n\n")) {
      const [, code] = /^\S+:\d+:\d+ {2}(\S+) {2}/.exec(shown) ?? [];
      if (code === undefined) continue;
      const known = found.get(code);
      if (!known || files.length < known.files.length) found.set(code, { files, shown });
    }
  }
  return found;
};

export const problemPages = (): Generated[] => {
  const known = examples();
  return Object.entries(problemCodes).map(([code, meaning]) => ({
    file: `docs/reference/problems/${code}.md`,
    text: `${written}\n# \`${code}\`\n\n${meaning}\n${shown(known.get(code))}`,
  }));
};

const shown = (example: Example | undefined): string => {
  if (!example) return "";
  const [, ...pieces] = example.files.split(/^-- (\S+) --\n/m);
  const files = pieces.flatMap((text, index) => (index % 2 ? [block(pieces[index - 1] ?? "", text)] : []));
  return `\n${files.join("\n")}\n\`\`\`\n${example.shown.trimEnd()}\n\`\`\`\n`;
};

const block = (file: string, text: string): string => `\`\`\`yaml\n# ${file}\n${text.trimEnd()}\n\`\`\`\n`;
