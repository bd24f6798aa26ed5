/** A page for each preset: what it is for, what it protects against and what not, and the filters that do it. */
import fs from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import type { Preset } from "../../functions/manifest/manifest.ts";
import { type Generated, home, written } from "../project/generated-files.ts";

const folder = "routes/presets";

export const presetPages = (): Generated[] =>
  fs
    .readdirSync(path.join(home, folder))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => pageOf(fs.readFileSync(path.join(home, folder, file), "utf8")));

const pageOf = (text: string): Generated => {
  const { preset, summary, about = "" }: Preset = parseDocument(text).toJS();
  return {
    file: `docs/presets/${preset}.md`,
    text: `${written}
# The preset \`${preset}\`

${summary}.

${about.trim()}

\`\`\`yaml
${text.slice(text.indexOf("\nfilters:") + 1).trimEnd()}
\`\`\`

A tier takes it with \`preset: ${preset}\`; its filters run ahead of the tier's own. \`without: [<id>]\` drops one of them, on the
tier or on a route, and reviewers are told.
`,
  };
};
