/** Mutation testing: runs the cases on mutated manifests. A mutant that no case detects shows a gap in the tests. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Compiled, type CompiledTier, compile } from "../../compiler/compile.ts";
import { copyWithin } from "../../project/files.ts";
import type { RunKeys } from "../input/personas.ts";
import { type Case, countRequests, type Suite } from "../input/read.ts";
import { runSuite } from "../run.ts";
import type { Runtime } from "../runtime.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";

export type MutantOutcome =
  /** A case failed. */
  | { readonly kind: "noticed"; readonly by: string }
  /** The checker rejects it. */
  | { readonly kind: "refused" }
  /** The plan is unchanged. */
  | { readonly kind: "same" }
  | { readonly kind: "survived" };

export interface MutantResult extends Mutant {
  readonly outcome: MutantOutcome;
}

export interface MutationOptions {
  readonly root: string;
  readonly env: string;
  readonly suites: readonly Suite[];
  readonly keys: RunKeys;
  readonly runtime: Runtime;
  /** Maximum number of mutants, sampled evenly. */
  readonly limit?: number | undefined;
  readonly onProgress: (done: number, all: number) => void;
}

export const mutate = async ({
  root,
  env,
  suites,
  keys,
  runtime,
  limit,
  onProgress,
}: MutationOptions): Promise<MutantResult[]> => {
  const all = mutantsOf(
    root,
    suites.map(({ tier }) => tier),
  );
  const sample = sampleEvenly(all, limit ?? all.length);
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "postern-mutants-"));
  const results: MutantResult[] = [];
  const queues = new Map(
    suites.map(({ file, cases }) => [file, cases.toSorted((a, b) => countRequests(a) - countRequests(b))]),
  );
  try {
    copyWithin(root, "routes", copy);
    const original = compile(copy, env);
    for (const mutant of sample) {
      onProgress(results.length, sample.length);
      const outcome = await runMutant(mutant, { root, copy, env, original, suites, queues, keys, runtime });
      results.push({ ...mutant, outcome });
    }
    return results;
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
};

const sampleEvenly = <T>(all: readonly T[], limit: number): readonly T[] =>
  limit >= all.length
    ? all
    : Array.from({ length: limit }, (_, index) => all[Math.floor((index * all.length) / limit)] as T);

interface MutationRun {
  readonly root: string;
  readonly copy: string;
  readonly env: string;
  readonly original: Compiled;
  readonly suites: readonly Suite[];
  readonly queues: ReadonlyMap<string, Case[]>;
  readonly keys: RunKeys;
  readonly runtime: Runtime;
}

const runMutant = async (mutant: Mutant, run: MutationRun): Promise<MutantOutcome> => {
  const { copy, env, original, suites, queues, keys, runtime } = run;
  const file = path.join(copy, mutant.file);
  const before = fs.readFileSync(file);
  fs.writeFileSync(file, mutant.text);
  const compiled = compile(copy, env);
  fs.writeFileSync(file, before);
  if (compiled.problems.length > 0) return { kind: "refused" };
  const changed = compiled.tiers.filter((it) => planText(it) !== planText(sameTier(original, it)));
  if (changed.length === 0) return { kind: "same" };
  for (const { checked } of changed) {
    const suite = suites.find(({ tier }) => tier.manifest.tier === checked.manifest.tier);
    const queue = queues.get(suite?.file ?? "") ?? [];
    for (const it of suite ? [...queue] : []) {
      // Uses the cases of the original manifest, without re-checking names: a case that names a removed item proves nothing.
      const singleCase: Suite = { ...(suite as Suite), tier: checked, cases: [it] };
      const { failures } = await runSuite(singleCase, compiled, keys, runtime, { root: run.root, strict: false });
      if (failures.length === 0) continue;
      // A case that detected one mutant is likely to detect the next, so it moves to the front.
      queue.splice(queue.indexOf(it), 1);
      queue.unshift(it);
      return { kind: "noticed", by: it.it };
    }
  }
  return { kind: "survived" };
};

const planText = (tier: CompiledTier | undefined): string => JSON.stringify(tier?.serves.map(({ plan }) => plan));

const sameTier = ({ tiers }: Compiled, { checked }: CompiledTier): CompiledTier | undefined =>
  tiers.find((it) => it.checked.manifest.tier === checked.manifest.tier);
