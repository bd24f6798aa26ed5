/** Tries the cases on manifests that are wrong in one small thing: where all of them hold, something is not tested. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Compiled, type CompiledTier, compile } from "../../compiler/compile.ts";
import { copyWithin } from "../../project/files.ts";
import type { Keys } from "../input/personas.ts";
import { type Case, requestsOf, type Suite } from "../input/read.ts";
import { runSuite } from "../run.ts";
import type { Runtime } from "../runtime.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";

export type Fate =
  /** A case has failed. */
  | { readonly kind: "noticed"; readonly by: string }
  /** The checker refuses it. */
  | { readonly kind: "refused" }
  /** What runs is the same. */
  | { readonly kind: "same" }
  | { readonly kind: "survived" };

export interface Tried extends Mutant {
  readonly fate: Fate;
}

export interface Experiment {
  readonly root: string;
  readonly env: string;
  readonly suites: readonly Suite[];
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** How many of all mutants; spread over all of them. */
  readonly most?: number | undefined;
  readonly tell: (done: number, all: number) => void;
}

export const mutate = async ({ root, env, suites, keys, runtime, most, tell }: Experiment): Promise<Tried[]> => {
  const all = mutantsOf(
    root,
    suites.map(({ tier }) => tier),
  );
  const chosen = spread(all, most ?? all.length);
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "postern-mutants-"));
  const tried: Tried[] = [];
  const queues = new Map(
    suites.map(({ file, cases }) => [file, cases.toSorted((a, b) => requestsOf(a) - requestsOf(b))]),
  );
  try {
    copyWithin(root, "routes", copy);
    const good = compile(copy, env);
    for (const mutant of chosen) {
      tell(tried.length, chosen.length);
      const fate = await fateOf(mutant, { root, copy, env, good, suites, queues, keys, runtime });
      tried.push({ ...mutant, fate });
    }
    return tried;
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
};

const spread = <T>(all: readonly T[], most: number): readonly T[] =>
  most >= all.length
    ? all
    : Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)] as T);

interface Laboratory {
  readonly root: string;
  readonly copy: string;
  readonly env: string;
  readonly good: Compiled;
  readonly suites: readonly Suite[];
  readonly queues: ReadonlyMap<string, Case[]>;
  readonly keys: Keys;
  readonly runtime: Runtime;
}

const fateOf = async (mutant: Mutant, laboratory: Laboratory): Promise<Fate> => {
  const { copy, env, good, suites, queues, keys, runtime } = laboratory;
  const file = path.join(copy, mutant.file);
  const before = fs.readFileSync(file);
  fs.writeFileSync(file, mutant.text);
  const compiled = compile(copy, env);
  fs.writeFileSync(file, before);
  if (compiled.problems.length > 0) return { kind: "refused" };
  const changed = compiled.tiers.filter((it) => planOf(it) !== planOf(tierOf(good, it)));
  if (changed.length === 0) return { kind: "same" };
  for (const { checked } of changed) {
    const suite = suites.find(({ tier }) => tier.manifest.tier === checked.manifest.tier);
    const queue = queues.get(suite?.file ?? "") ?? [];
    for (const it of suite ? [...queue] : []) {
      // The cases are those of the good manifest: that one names what is gone now is no proof that it would be missed.
      const alone: Suite = { ...(suite as Suite), tier: checked, cases: [it] };
      const { failures } = await runSuite(alone, compiled, keys, runtime, { root: laboratory.root, strict: false });
      if (failures.length === 0) continue;
      // What has noticed one is likely to notice the next.
      queue.splice(queue.indexOf(it), 1);
      queue.unshift(it);
      return { kind: "noticed", by: it.it };
    }
  }
  return { kind: "survived" };
};

const planOf = (tier: CompiledTier | undefined): string => JSON.stringify(tier?.serves.map(({ plan }) => plan));

const tierOf = ({ tiers }: Compiled, { checked }: CompiledTier): CompiledTier | undefined =>
  tiers.find((it) => it.checked.manifest.tier === checked.manifest.tier);
