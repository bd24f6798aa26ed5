/** Prepares a test run: compiles the project, reads the cases, and selects the wanted tiers; or returns the problems. */
import path from "node:path";
import { type Compiled, compile } from "../compiler/compile.ts";
import { type Problem, sortDiagnostics } from "../diagnostics/problem.ts";
import { renderProblems } from "../diagnostics/report.ts";
import { existing } from "../diagnostics/schema-issues.ts";
import type { Outcome } from "../terminal/outcome.ts";
import { caseFileOf, readSuites, type Suite } from "./input/read.ts";

export interface Prepared {
  readonly compiled: Compiled;
  readonly suites: readonly Suite[];
}

/** @param tiers by default all of them. @throws for a tier that is not there */
export const prepare = (
  tiers: readonly string[],
  { root, env }: { readonly root: string; readonly env: string },
): Prepared | Outcome => {
  const compiled = compile(root, env);
  const { suites, problems } = readSuites(root, compiled);
  const selected = selectSuites(suites, tiers, compiled);
  const selectedProblems = ownProblems(tiers, compiled, [...compiled.problems, ...problems]);
  return selectedProblems.length > 0 ? brokenOutcome(selectedProblems, compiled) : { compiled, suites: selected };
};

/** Selects the suites of the named tiers. @throws for an unknown tier */
const selectSuites = (suites: readonly Suite[], tiers: readonly string[], { missing }: Compiled): readonly Suite[] => {
  const names = suites.map(({ tier }) => tier.manifest.tier);
  const brokenTiers = missing.map((file) => path.basename(file, ".yaml"));
  for (const tier of tiers)
    if (!names.includes(tier) && !brokenTiers.includes(tier))
      throw new Error(`there is no tier "${tier}"; ${existing(tier, names, "npx postern routes lists them")}`);
  return tiers.length === 0 ? suites : suites.filter(({ tier }) => tiers.includes(tier.manifest.tier));
};

/** Problems of the selected tiers, and of files that all tiers share. */
const ownProblems = (
  tiers: readonly string[],
  { tiers: goodTiers, missing }: Compiled,
  problems: readonly Problem[],
) => {
  const manifests = [...goodTiers.map(({ checked }) => checked.source.file), ...missing];
  const others = manifests.filter((file) => tiers.length > 0 && !tiers.includes(path.basename(file, ".yaml")));
  const otherFiles = new Set(others.flatMap((file) => [file, caseFileOf(file)]));
  return sortDiagnostics(problems.filter(({ file }) => !otherFiles.has(file)));
};

export const brokenOutcome = (problems: readonly Problem[], compiled: Compiled): Outcome => ({
  exitCode: 1,
  text: renderProblems(problems, compiled),
  data: { problems },
});
