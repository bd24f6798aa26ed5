/** Tries the cases on manifests that are wrong in one small thing: where all of them hold, something is not tested. */
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
  /** A case has failed. */
  | { readonly kind: "noticed"; readonly by: string }
  /** The checker refuses it. */
  | { readonly kind: "refused" }
  /** What runs is the same. */
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
  /** How many of all mutants; spread over all of them. */
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
      // The cases are those of the good manifest: that one names what is gone now is no proof that it would be missed.
      const singleCase: Suite = { ...(suite as Suite), tier: checked, cases: [it] };
      const { failures } = await runSuite(singleCase, compiled, keys, runtime, { root: run.root, strict: false });
      if (failures.length === 0) continue;
      // What has noticed one is likely to notice the next.
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
