/** Generates the page of changes: what a diff reports, how risky it is, and why. */

import { type GeneratedFile, generatedNotice } from "../project/generated-files.ts";
import { registry } from "../project/registry.ts";
import { type ChangeKind, changeKinds, grades, riskOf } from "../review/core/risks.ts";
import { gradingOf } from "../review/diff/grade/grading.ts";

export const changesPage = (): GeneratedFile => ({
  file: "docs/reference/changes.md",
  text: `${generatedNotice}
# Changes

What \`postern diff\` reports, the riskiest first. [Review](../review.md) says how it is found.

| risk | change | meaning |
| --- | --- | --- |
${grades
  .toReversed()
  .flatMap((grade) =>
    Object.entries(changeKinds)
      .filter(([, [risk]]) => risk === grade)
      .map(([kind, [, meaning]]) => `| ${grade} | \`${kind}\` | ${meaning} |`),
  )
  .join("\n")}

## Filters

How the change of a filter on a route is reported. A filter that is \`mode: shadow\` or \`off\`, or at \`0%\`, does not act; to begin or to stop acting is
graded as to be added or dropped. *Weaker* and *stronger* are reported where a key has a direction (\`max-age\`, \`scopes\`, \`limit\`, \`origins\` …), and of
\`percent\` and \`when\`. *Ten times as weak* is a number that lets ten times as much through (\`100/s\` becomes \`1000/s\`, or \`60000/m\`), or that is not set any more. Where the last filter that identifies callers goes, that is \`identity-removed\`; where one gives way to another, it is
\`identity-changed\` or \`access-changed\`. A filter that tells the service who is calling (\`x-customer: "{consumer.id}"\`) is \`caller-changed\`, whatever happens
to it.

| filter | added | dropped | weaker | ten times as weak | stronger | otherwise |
| --- | --- | --- | --- | --- | --- | --- |
${Object.entries(registry.filters)
  .map(([use, spec]) => {
    const { added, dropped, weaker, multiplied, stronger, other } = gradingOf(use, spec);
    return `| [\`${use}\`](filters/${use}.md) | ${[added, dropped, weaker, multiplied, stronger, other].map(formatGrade).join(" | ")} |`;
  })
  .join("\n")}
`,
});

const formatGrade = (kind: ChangeKind): string => {
  const risk = riskOf(kind);
  return `${risk === "high" ? "**high**" : risk} \`${kind}\``;
};
