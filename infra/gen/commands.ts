/** Generates the page for scripts: exit codes, and the JSON of commands. */

import { type GeneratedFile, generatedNotice } from "../project/generated-files.ts";
import { commandContracts, exitCodes } from "../terminal/contract.ts";

export const commandsPage = (): GeneratedFile => ({
  file: "docs/reference/commands.md",
  text: `${generatedNotice}
# Exit codes and JSON

For scripts. All commands of \`postern\` share one table of exit codes:

| code | meaning |
| --- | --- |
${Object.entries(exitCodes)
  .map(([code, meaning]) => `| ${code} | ${meaning} |`)
  .join("\n")}

With \`--json\` a command writes one JSON value to stdout, whatever its exit code, and nothing else. With code 3 it writes \`{ "error": "…" }\` to stderr, with a
\`remedy\` where there is one. Without \`--json\`, results go to stdout, and problems (codes 1, 2 and 3) to stderr. The progress of \`dev\`, \`cloud\`, \`deploy\` and \`test\` goes
to stderr as well. Tables are as wide as the terminal, or 80 columns where there is none. Keys may be added. Those in the table keep their name and meaning.

| command | further exit codes | keys of its JSON |
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

Keys in parentheses are optional. Where manifests are invalid and nothing else can be reported, \`problems\` is the only key. A *problem* has \`file\`, \`line\`, \`column\`, \`length\`, \`source\` (the line), \`code\`,
\`message\` and perhaps \`remedy\` and \`related\`; a *finding* also \`severity\`, \`docs\` and \`environments\`; a *gap* has \`kind\` (\`left-out\`,
\`otherwise\`), \`where\` and \`what\`; a *change* has \`kind\`, \`risk\`, \`tier\`, \`routes\`, \`says\`, \`at\` and \`environments\`.
`,
});
