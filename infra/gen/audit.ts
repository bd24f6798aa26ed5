/**
 * Generates a page for each rule of the audit: what it finds and prevents, a manifest that has it, the output, and one
 * without it.
 */
import fs from "node:fs";
import path from "node:path";
import { codeRoot, type GeneratedFile, generatedNotice } from "../project/generated-files.ts";
import { allRules } from "../review/audit/registry.ts";
import { grades } from "../review/core/risks.ts";

const folder = "test/golden/audit";

export const auditPages = (): GeneratedFile[] => [...allRules().map(rulePage), indexPage()];

/** The example is the rule's golden case, which a test keeps true. */
const rulePage = ({ id, severity, summary, incident, remedy }: ReturnType<typeof allRules>[number]): GeneratedFile => {
  const text = fs.readFileSync(path.join(codeRoot, folder, `${id}.case`), "utf8");
  const [, bad = "", findings = "", good = ""] = text.split(/^-- (?:bad|findings|good) --\n/m);
  return {
    file: `docs/reference/audit/${id}.md`,
    text: `${generatedNotice}
# \`${id}\`

${summary} Severity: **${severity}**.

**What it prevents.** ${incident}

**What to do.** ${remedy}

${block(bad, "yaml")}
${block(findings, "")}
Right would be:

${block(good, "yaml")}`,
  };
};

const block = (text: string, language: string): string =>
  `\`\`\`${language}\n${text.trimEnd().replace("-- environment --", "---\n# its environment")}\n\`\`\`\n`;

const indexPage = (): GeneratedFile => ({
  file: "docs/reference/audit/README.md",
  text: `${generatedNotice}
# Rules of the audit

What \`postern check\` finds in manifests that hold, the gravest first. [Review](../../review.md#the-audit) says how it is used, how a rule is
ignored for a reason, and what needs no rule, since the compiler takes no manifest that has it.

| severity | rule | what it finds |
| --- | --- | --- |
${grades
  .toReversed()
  .flatMap((grade) => allRules().filter(({ severity }) => severity === grade))
  .map(({ id, severity, summary }) => `| ${severity} | [\`${id}\`](${id}.md) | ${summary} |`)
  .join("\n")}
`,
});
