/** The page of changes: what a diff can tell, how risky it is, and why. */
import { changeKinds, grades } from "../review/risks.ts";
import { type Generated, written } from "./generated.ts";

export const changesPage = (): Generated => ({
  file: "docs/reference/changes.md",
  text: `${written}
# Changes

What \`postern diff\` can tell, the riskiest first. [Review](../review.md) says how it is found.

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
`,
});
