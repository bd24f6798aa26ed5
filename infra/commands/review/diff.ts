/** `postern diff` */

import { type Comparison, compareProjects } from "../../review/compare.ts";
import { byRisk, type Risk } from "../../review/core/risks.ts";
import { plain } from "../../review/core/sentence.ts";
import { human } from "../../review/human.ts";
import { markdown } from "../../review/markdown.ts";
import { type Sides, sidesOf } from "../../review/versions.ts";
import { headline } from "../../review/wording.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly env?: string | undefined;
  readonly format?: "human" | "markdown" | undefined;
  readonly failOn?: Risk | "never" | undefined;
}

export const diff = (base: string, head: string | undefined, options: Options): Outcome => {
  const { exitCode, human, markdown, data } = compared(base, head, options);
  return { exitCode, text: options.format === "markdown" ? markdown : human, data };
};

/** Both renderings of one comparison. */
export const compared = (base: string, head: string | undefined, { root, env, failOn }: Options) => {
  const sides = sidesOf(root, base, head);
  try {
    const comparison = compareProjects(sides.before.root, sides.after.root, env);
    const { risk, problems } = comparison;
    const tooRisky = failOn !== undefined && failOn !== "never" && risk !== undefined && byRisk(risk, failOn) >= 0;
    return {
      exitCode: problems.length > 0 ? 1 : tooRisky ? 5 : 0,
      human: human(comparison, sides),
      markdown: markdown(comparison, sides.code),
      data: dataOf(comparison, sides),
    } as const;
  } finally {
    sides.dispose();
  }
};

const dataOf = (comparison: Comparison, { before, after, code }: Sides) => ({
  before: { name: before.name, commit: before.commit ?? null },
  after: { name: after.name, commit: after.commit ?? null },
  summary: headline(comparison),
  risk: comparison.risk ?? null,
  changed: comparison.risk !== undefined,
  code,
  environments: comparison.environments,
  changes: comparison.changes.map(({ says, spot, ...it }) => ({ ...it, says: plain(says), at: spot ?? null })),
  workers: comparison.workers,
  tiers: comparison.tiers,
  files: comparison.files,
  problems: comparison.problems,
  brokenBefore: comparison.brokenBefore,
});
