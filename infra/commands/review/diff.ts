/** `postern diff`: compares two versions of a project and renders the changes. */

import { type Comparison, compareProjects } from "../../review/compare.ts";
import { compareRisk, type Risk } from "../../review/core/risks.ts";
import { plainText } from "../../review/core/sentence.ts";
import { renderDiff } from "../../review/human.ts";
import { renderMarkdown } from "../../review/markdown.ts";
import { resolveVersions, type Versions } from "../../review/versions.ts";
import { headline } from "../../review/wording.ts";
import type { Outcome } from "../../terminal/outcome.ts";

interface Options {
  readonly root: string;
  readonly env?: string | undefined;
  readonly format?: "human" | "markdown" | undefined;
  readonly failOn?: Risk | "never" | undefined;
}

export const diff = (base: string, head: string | undefined, options: Options): Outcome => {
  const { exitCode, human, markdown, data } = compareVersions(base, head, options);
  return { exitCode, text: options.format === "markdown" ? markdown : human, data };
};

/** Compares two versions and renders the result as text and as Markdown. */
export const compareVersions = (base: string, head: string | undefined, { root, env, failOn }: Options) => {
  const versions = resolveVersions(root, base, head);
  try {
    const comparison = compareProjects(versions.before.root, versions.after.root, env);
    const { risk, problems } = comparison;
    const tooRisky = failOn !== undefined && failOn !== "never" && risk !== undefined && compareRisk(risk, failOn) >= 0;
    return {
      exitCode: problems.length > 0 ? 1 : tooRisky ? 5 : 0,
      human: renderDiff(comparison, versions),
      markdown: renderMarkdown(comparison, versions.codeChanged),
      data: toJson(comparison, versions),
    } as const;
  } finally {
    versions.dispose();
  }
};

const toJson = (comparison: Comparison, { before, after, codeChanged }: Versions) => ({
  before: { name: before.name, commit: before.commit ?? null },
  after: { name: after.name, commit: after.commit ?? null },
  summary: headline(comparison),
  risk: comparison.risk ?? null,
  changed: comparison.risk !== undefined,
  code: codeChanged,
  environments: comparison.environments,
  changes: comparison.changes.map(({ message, location, ...it }) => ({
    ...it,
    says: plainText(message),
    at: location ?? null,
  })),
  workers: comparison.workers,
  tiers: comparison.tiers,
  files: comparison.files,
  problems: comparison.problems,
  brokenBefore: comparison.brokenBefore,
});
