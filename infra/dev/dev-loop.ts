/** Compiles the manifests and deploys each change as a new version of the Workers it affects, on the dev loop's own local cloud. */
import path from "node:path";
import pc from "picocolors";
import type { Cloud } from "../cloud/cloud.ts";
import { type Compiled, compile } from "../compiler/compile.ts";
import { type Emitted, emit } from "../compiler/emit/emit.ts";
import { renderProblems } from "../diagnostics/report.ts";
import { ensureExplainKey } from "../explain/keys.ts";
import { project, useProject } from "../project/project.ts";
import { signConsumers } from "../release/consumers/sign.ts";
import { localSecrets } from "../release/secrets.ts";
import { applyState } from "./apply.ts";

export interface DevLoop {
  /**
   * Compiles, deploys what changed, and prints the problems. A tier with problems keeps its last valid manifest.
   * @param compiled the result of a compilation, where there is one already
   */
  readonly rebuild: (compiled?: Compiled) => Promise<Compiled | undefined>;
  /** Abandons a rebuild that is in progress, and silences its messages. */
  readonly stop: () => void;
}

export interface DevLoopOptions {
  readonly root: string;
  readonly env: string;
  /** The local cloud, which may still be starting. */
  readonly cloud: Promise<Cloud>;
  /** The percentage of requests that an edit receives. */
  readonly split: number;
  /** Prints a line about the loop itself. */
  readonly print: (line: string) => void;
  /** Called for each Worker that is bundled. */
  readonly bundled: (worker: string) => void;
}

export const devLoop = (options: DevLoopOptions): DevLoop => {
  const { root, env, split, print } = options;
  const deploy = deployer(options);
  const report = problemReporter(print);
  let lastGood: Compiled | undefined;
  let isStopped = false;
  return {
    stop: () => {
      isStopped = true;
    },
    rebuild: async (given) => {
      if (isStopped) return undefined;
      const started = performance.now();
      const isRebuild = lastGood !== undefined;
      try {
        if (given === undefined) await useProject(root);
        const compiled = given ?? compile(root, env, lastGood);
        report(compiled, isRebuild);
        const outcome = await deploy(compiled, isRebuild);
        if (outcome !== "unchanged") lastGood = compiled;
        const share = split < 100 ? `, for ${split} % of the requests` : "";
        if (isRebuild && outcome === "replaced")
          print(pc.green(`reloaded in ${Math.round(performance.now() - started)} ms${share}`));
        return compiled;
      } catch (error) {
        if (isStopped) return undefined;
        if (!isRebuild) throw error;
        print(`${pc.red((error as Error).message)}\n${keepsRunning}`);
        return undefined;
      }
    },
  };
};

const keepsRunning = "the previous version keeps running";

/**
 * `unchanged`: the compiled result is the one that was deployed last. `same-workers`: it differs, but no Worker got a new
 * version. `replaced`: at least one did.
 */
type Outcome = "unchanged" | "same-workers" | "replaced";

/** Deploys a compiled result to the local cloud, unless it is the one that was deployed last. */
const deployer = ({ root, env, cloud, split, print, bundled }: DevLoopOptions) => {
  let digest = "";
  let previous: readonly Emitted[] = [];
  return async (compiled: Compiled, isRebuild: boolean): Promise<Outcome> => {
    const { value } = compiled.environment;
    const emitted = await emit(root, asRun(compiled), {
      partial: true,
      explain: value.explain?.key ?? ensureExplainKey(root, env),
      previous,
      // Problems of own parts have been printed. Others show only when a gate is bundled, such as an import of Node's.
      keptBefore: (worker, error) => {
        if (project().own.problems.length === 0)
          print(`${pc.red((error as Error).message)}\n${worker} keeps its last version`);
      },
      emitWorker: bundled,
    });
    previous = emitted;
    const secrets = localSecrets(root, env, value.dev.secrets);
    const newDigest = JSON.stringify([emitted.map((it) => it.digest), compiled.consumers, secrets]);
    if (newDigest === digest) return "unchanged";
    const { refused, changed } = await applyState(await cloud, {
      emitted,
      extraWorkers: absolutePaths(root, value.dev.workers),
      consumers: signConsumers(root, compiled.environment, compiled.consumers),
      namespaces: value.kv,
      secrets,
      split: isRebuild ? split : 100,
    });
    for (const [worker, reason] of Object.entries(refused)) print(pc.red(`${worker} threw at start: ${reason}`));
    if (Object.keys(refused).length > 0 && isRebuild) print(keepsRunning);
    digest = newDigest;
    return changed.length > 0 ? "replaced" : "same-workers";
  };
};

/**
 * Prints the problems of a compiled result, and the files that had problems the last time and have none now.
 * @throws at the first build, when a file that all tiers share has a problem
 */
const problemReporter = (print: (line: string) => void) => {
  let invalid: readonly string[] = [];
  return (compiled: Compiled, isRebuild: boolean): void => {
    if (compiled.problems.length > 0) print(`\n${renderProblems(compiled.problems, compiled)}`);
    const files = [...new Set(compiled.problems.map(({ file }) => file))];
    const fixed = invalid.filter((file) => !files.includes(file));
    invalid = files;
    if (fixed.length > 0) print(pc.green(`${fixed.join(", ")} ${fixed.length === 1 ? "is" : "are"} valid again`));
    if (compiled.sharedBroken)
      throw new Error("nothing runs until the problems of the files that all tiers share are fixed");
    if (!isRebuild) return;
    for (const { checked } of compiled.tiers)
      if (files.includes(checked.source.file)) print(`${checked.manifest.tier} keeps its last valid manifest`);
  };
};

/**
 * The compiled result without control's Worker, because an edit is live at once and needs no rollout, and with an access
 * line for each request, because local logs cost nothing.
 */
const asRun = (compiled: Compiled): Compiled => {
  const { control: _, ...value } = compiled.environment.value;
  const tiers = compiled.tiers.map((tier) => ({
    ...tier,
    serves: tier.serves.map((it) => ({ ...it, plan: { ...it.plan, log: { ...it.plan.log, sample: "100%" } } })),
  }));
  return { ...compiled, tiers, environment: { ...compiled.environment, value } };
};

const absolutePaths = (root: string, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path.join(root, file)]));
