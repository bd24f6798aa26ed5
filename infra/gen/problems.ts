/** Generates a page for each code of a problem: its meaning, a manifest that has it, and the output. */
import fs from "node:fs";
import path from "node:path";
import { problemCodes } from "../diagnostics/codes.ts";
import { codeRoot, type GeneratedFile, generatedNotice } from "../project/generated-files.ts";

interface Example {
  readonly files: string;
  readonly printed: string;
}

const folder = "test/golden/problems";

/** Examples from the golden cases, which a test keeps true. The shortest case of a code wins. */
const examples = (): ReadonlyMap<string, Example> => {
  const found = new Map<string, Example>();
  for (const name of fs.readdirSync(path.join(codeRoot, folder)).sort()) {
    const text = fs.readFileSync(path.join(codeRoot, folder, name), "utf8");
    const [input = "", output = ""] = text.split(/^-- problems --\n/m);
    const files = input.slice(input.indexOf("-- routes/"));
    for (const printed of output.split("\n\n")) {
      const [, code] = /^\S+:\d+:\d+ {2}(\S+) {2}/.exec(printed) ?? [];
      if (code === undefined) continue;
      const known = found.get(code);
      if (!known || files.length < known.files.length) found.set(code, { files, printed });
    }
  }
  return found;
};

export const problemPages = (): GeneratedFile[] => {
  const known = examples();
  return Object.entries(problemCodes).map(([code, meaning]) => ({
    file: `docs/reference/problems/${code}.md`,
    text: `${generatedNotice}\n# \`${code}\`\n\n${meaning}\n${formatExample(known.get(code))}`,
  }));
};

const formatExample = (example: Example | undefined): string => {
  if (!example) return "";
  const [, ...pieces] = example.files.split(/^-- (\S+) --\n/m);
  const files = pieces.flatMap((text, index) => (index % 2 ? [block(pieces[index - 1] ?? "", text)] : []));
  return `\n${files.join("\n")}\n\`\`\`\n${example.printed.trimEnd()}\n\`\`\`\n`;
};

const block = (file: string, text: string): string =>
  file.endsWith(".ts")
    ? `\`\`\`ts\n// ${file}\n${text.trimEnd()}\n\`\`\`\n`
    : `\`\`\`yaml\n# ${file}\n${text.trimEnd()}\n\`\`\`\n`;
