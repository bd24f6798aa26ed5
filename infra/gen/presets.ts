/** Generates a page for each preset: what it is for, what it protects against and what not, and its filters. */
import fs from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import type { Preset } from "../../functions/manifest/manifest.ts";
import { codeRoot, type GeneratedFile, generatedNotice } from "../project/generated-files.ts";

const folder = "routes/presets";

export const presetPages = (): GeneratedFile[] =>
  fs
    .readdirSync(path.join(codeRoot, folder))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => presetPage(fs.readFileSync(path.join(codeRoot, folder, file), "utf8")));

const presetPage = (text: string): GeneratedFile => {
  const { preset, summary, about = "" }: Preset = parseDocument(text).toJS();
  return {
    file: `docs/presets/${preset}.md`,
    text: `${generatedNotice}
# The preset \`${preset}\`

${summary}.

${about.trim()}

\`\`\`yaml
${text.slice(text.indexOf("\nfilters:") + 1).trimEnd()}
\`\`\`

A tier takes it with \`preset: ${preset}\`; its filters run ahead of the tier's own. \`without: [<id>]\` drops one of them, on the
tier or on a route, which \`postern diff\` reports to reviewers.
`,
  };
};
