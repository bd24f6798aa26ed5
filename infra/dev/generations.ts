/** What runs, and how an edit takes its place: as a version of the Workers that it changes, on the loop's own cloud. */
import path from "node:path";
import pc from "picocolors";
import type { Cloud } from "../cloud/cloud.ts";
import { type Compiled, compile } from "../compiler/compile.ts";
import { emit } from "../compiler/emit/emit.ts";
import { report } from "../diagnostics/report.ts";
import { ownKey } from "../explain/keys.ts";
import { signedConsumers } from "../release/consumers/sign.ts";
import { localSecrets } from "../release/secrets.ts";
import { turnTo } from "./apply.ts";

export interface Generations {
  /** Compiles, and replaces what runs where something changed. Says what is wrong, and keeps what is good. */
  readonly next: () => Promise<Compiled | undefined>;
  /** What is on its way is given up, and nothing more is said of it. */
  readonly stop: () => void;
}

/**
 * @param split what edits get of the requests, in per cent
 * @param tell a line about the loop itself
 */
export const generations = (
  root: string,
  env: string,
  cloud: Cloud,
  split: number,
  tell: (line: string) => void,
): Generations => {
  let digest = "";
  let good: Compiled | undefined;
  let isStopped = false;

  const turn = async (compiled: Compiled): Promise<boolean> => {
    const { value } = compiled.environment;
    const emitted = await emit(root, withoutControl(compiled), {
      partial: true,
      explain: value.explain?.key ?? ownKey(root, env),
    });
    const secrets = localSecrets(root, env, value.dev.secrets);
    const now = JSON.stringify([emitted.map((it) => it.digest), compiled.consumers, secrets]);
    if (now === digest) return false;
    const { refused, changed } = await turnTo(cloud, {
      emitted,
      others: absolute(root, value.dev.workers),
      consumers: signedConsumers(root, compiled.environment, compiled.consumers),
      namespaces: value.kv,
      secrets,
      split: good ? split : 100,
    });
    for (const [worker, reason] of Object.entries(refused)) tell(pc.red(`${worker} threw at start: ${reason}`));
    if (Object.keys(refused).length > 0 && good) tell("what ran before goes on running");
    digest = now;
    good = compiled;
    return changed.length > 0;
  };

  return {
    stop: () => {
      isStopped = true;
    },
    next: async () => {
      if (isStopped) return undefined;
      const started = performance.now();
      const again = good !== undefined;
      try {
        const compiled = compile(root, env, good);
        if (compiled.problems.length > 0) tell(`\n${report(compiled.problems, compiled)}`);
        if (compiled.sharedBroken) throw new Error("nothing can run until the file that all tiers share is mended");
        for (const { checked } of compiled.tiers)
          if (good && compiled.problems.some(({ file }) => file === checked.source.file))
            tell(`${checked.manifest.tier} goes on with its last good manifest`);
        const changed = await turn(compiled);
        const share = split < 100 ? `, for ${split} % of the requests` : "";
        if (again && changed) tell(pc.green(`reloaded in ${Math.round(performance.now() - started)} ms${share}`));
        return compiled;
      } catch (error) {
        if (isStopped) return undefined;
        if (!again) throw error;
        tell(`${pc.red((error as Error).message)}\nwhat ran before goes on running`);
        return undefined;
      }
    },
  };
};

/** An edit in the loop is live at once, so there is nothing to release. */
const withoutControl = (compiled: Compiled): Compiled => {
  const { control: _, ...value } = compiled.environment.value;
  return { ...compiled, environment: { ...compiled.environment, value } };
};

const absolute = (root: string, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path.join(root, file)]));
