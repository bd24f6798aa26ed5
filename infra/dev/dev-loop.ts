/** What runs, and how an edit takes its place: as a version of the Workers that it changes, on the loop's own cloud. */
import path from "node:path";
import pc from "picocolors";
import type { Cloud } from "../cloud/cloud.ts";
import { type Compiled, compile } from "../compiler/compile.ts";
import { emit } from "../compiler/emit/emit.ts";
import { renderProblems } from "../diagnostics/report.ts";
import { ensureExplainKey } from "../explain/keys.ts";
import { signConsumers } from "../release/consumers/sign.ts";
import { localSecrets } from "../release/secrets.ts";
import { applyState } from "./apply.ts";

export interface DevLoop {
  /**
   * Compiles, and replaces what runs where something changed. Says what is wrong, and keeps what is good.
   * @param compiled what has been compiled already
   */
  readonly rebuild: (compiled?: Compiled) => Promise<Compiled | undefined>;
  /** What is on its way is given up, and nothing more is said of it. */
  readonly stop: () => void;
}

export interface GenerationOptions {
  readonly root: string;
  readonly env: string;
  /** It may still be starting: what is built meanwhile waits for it. */
  readonly cloud: Promise<Cloud>;
  /** What edits get of the requests, in per cent. */
  readonly split: number;
  /** A line about the loop itself. */
  readonly print: (line: string) => void;
  /** Called with each Worker that is bundled. */
  readonly bundled: (worker: string) => void;
}

export const devLoop = ({ root, env, cloud, split, print, bundled }: GenerationOptions): DevLoop => {
  let digest = "";
  let lastGood: Compiled | undefined;
  let broken: readonly string[] = [];
  let isStopped = false;

  /** @returns whether something else runs now */
  const apply = async (compiled: Compiled): Promise<boolean> => {
    const { value } = compiled.environment;
    const emitted = await emit(root, asRun(compiled), {
      partial: true,
      explain: value.explain?.key ?? ensureExplainKey(root, env),
      emitWorker: bundled,
    });
    const secrets = localSecrets(root, env, value.dev.secrets);
    const newDigest = JSON.stringify([emitted.map((it) => it.digest), compiled.consumers, secrets]);
    if (newDigest === digest) return false;
    const { refused, changed } = await applyState(await cloud, {
      emitted,
      extraWorkers: absolutePaths(root, value.dev.workers),
      consumers: signConsumers(root, compiled.environment, compiled.consumers),
      namespaces: value.kv,
      secrets,
      split: lastGood ? split : 100,
    });
    for (const [worker, reason] of Object.entries(refused)) print(pc.red(`${worker} threw at start: ${reason}`));
    if (Object.keys(refused).length > 0 && lastGood) print("what ran before goes on running");
    digest = newDigest;
    lastGood = compiled;
    return changed.length > 0;
  };

  /** Says what is wrong, and which files are so no more. */
  const complain = (compiled: Compiled): void => {
    if (compiled.problems.length > 0) print(`\n${renderProblems(compiled.problems, compiled)}`);
    const files = [...new Set(compiled.problems.map(({ file }) => file))];
    const mended = broken.filter((file) => !files.includes(file));
    broken = files;
    if (mended.length > 0) print(pc.green(`${mended.join(", ")} ${mended.length === 1 ? "holds" : "hold"} again`));
    if (compiled.sharedBroken) throw new Error("nothing can run until the file that all tiers share is mended");
    for (const { checked } of compiled.tiers)
      if (lastGood && files.includes(checked.source.file))
        print(`${checked.manifest.tier} goes on with its last good manifest`);
  };

  return {
    stop: () => {
      isStopped = true;
    },
    rebuild: async (given) => {
      if (isStopped) return undefined;
      const started = performance.now();
      const isRebuild = lastGood !== undefined;
      try {
        const compiled = given ?? compile(root, env, lastGood);
        complain(compiled);
        const changed = await apply(compiled);
        const share = split < 100 ? `, for ${split} % of the requests` : "";
        if (isRebuild && changed) print(pc.green(`reloaded in ${Math.round(performance.now() - started)} ms${share}`));
        return compiled;
      } catch (error) {
        if (isStopped) return undefined;
        if (!isRebuild) throw error;
        print(`${pc.red((error as Error).message)}\nwhat ran before goes on running`);
        return undefined;
      }
    },
  };
};

/**
 * What the loop runs of what was compiled. An edit is live at once, so there is nothing to release. Each request has its
 * access line: whoever tries one looks for it, and no log is paid for here.
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
