/** The page for scripts: exit codes, and the JSON of the verbs of a review. */

import { type GeneratedFile, generatedNotice } from "../project/generated-files.ts";
import { commandContracts, exitCodes } from "../terminal/contract.ts";

export const commandsPage = (): GeneratedFile => ({
  file: "docs/reference/verbs.md",
  text: `${generatedNotice}
# Exit codes and JSON

For scripts. Every verb of \`postern\` goes by one table of exit codes:

| code | meaning |
| --- | --- |
${Object.entries(exitCodes)
  .map(([code, meaning]) => `| ${code} | ${meaning} |`)
  .join("\n")}

With \`--json\` a verb writes one JSON value to stdout, whatever its exit code, and nothing else. Where the code is 3, it writes \`{ "error": "…" }\` to
stderr, with a \`remedy\` where there is one. Without it, what was asked for goes to stdout, complaints (code 1, 2 and 3) to stderr. So does what \`dev\`,
\`cloud\`, \`deploy\` and \`test\` are doing meanwhile. Tables are as wide as the terminal, and 80 columns where there is none. Keys may be added; those that stand here keep their
name and meaning.

| verb | exits besides with | keys of its JSON |
| --- | --- | --- |
${Object.entries(commandContracts)
  .map(
    ([command, { exits, json }]) =>
      `| \`${command}\` | ${
        Object.entries(exits)
          .map(([code, when]) => `${code}: ${when}`)
          .join("<br>") || "–"
      } | ${json.map((key) => (key.endsWith("?") ? `(\`${key.slice(0, -1)}\`)` : `\`${key}\``)).join(", ")} |`,
  )
  .join("\n")}

Keys in parentheses are there where there is something to say. Where manifests do not hold, and no more can be said, \`problems\` is the only key. A *problem* has \`file\`, \`line\`, \`column\`, \`length\`, \`source\` (the line), \`code\`,
\`message\` and perhaps \`remedy\` and \`related\`; a *finding* also \`severity\`, \`docs\` and \`environments\`; a *gap* has \`kind\` (\`left-out\`,
\`otherwise\`), \`where\` and \`what\`; a *change* has \`kind\`, \`risk\`, \`tier\`, \`routes\`, \`says\`, \`at\` and \`environments\`.
`,
});
