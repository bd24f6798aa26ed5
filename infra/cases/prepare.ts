/** Compiles, reads the cases, and finds those that were asked for; or says what is wrong with the files. */
import path from "node:path";
import { type Compiled, compile } from "../compiler/compile.ts";
import { inOrder, type Problem } from "../diagnostics/problem.ts";
import { report } from "../diagnostics/report.ts";
import { choice } from "../diagnostics/schema-issues.ts";
import type { Outcome } from "../terminal/outcome.ts";
import { casesOf, readSuites, type Suite } from "./input/read.ts";

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
  const chosen = chosenOf(suites, tiers, compiled);
  const early = own(tiers, compiled, [...compiled.problems, ...problems]);
  return early.length > 0 ? broken(early, compiled) : { compiled, suites: chosen };
};

/** A name that no tier has is a slip of the pen. */
const chosenOf = (suites: readonly Suite[], tiers: readonly string[], { missing }: Compiled): readonly Suite[] => {
  const names = suites.map(({ tier }) => tier.manifest.tier);
  const unread = missing.map((file) => path.basename(file, ".yaml"));
  for (const tier of tiers)
    if (!names.includes(tier) && !unread.includes(tier))
      throw new Error(`there is no tier "${tier}"; ${choice(tier, names) ?? "postern routes lists them"}`);
  return tiers.length === 0 ? suites : suites.filter(({ tier }) => tiers.includes(tier.manifest.tier));
};

/** Of some tiers: their own problems, and those of files that all tiers share. */
const own = (tiers: readonly string[], { tiers: good, missing }: Compiled, problems: readonly Problem[]) => {
  const manifests = [...good.map(({ checked }) => checked.source.file), ...missing];
  const others = manifests.filter((file) => tiers.length > 0 && !tiers.includes(path.basename(file, ".yaml")));
  const elsewhere = new Set(others.flatMap((file) => [file, casesOf(file)]));
  return inOrder(problems.filter(({ file }) => !elsewhere.has(file)));
};

export const broken = (problems: readonly Problem[], compiled: Compiled): Outcome => ({
  exitCode: 1,
  text: report(problems, compiled),
  data: { problems },
});
