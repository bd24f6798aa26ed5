/** The generation of Workers that runs, and how the next one takes its place: beside it first, then in it. */
import path from "node:path";
import pc from "picocolors";
import { type Compiled, compile } from "../compiler/compile.ts";
import { type Emitted, emit } from "../compiler/emit.ts";
import { report } from "../compiler/report.ts";
import { ownKey } from "../explain/keys.ts";
import { localSecrets } from "../secrets.ts";
import type { Door } from "./door.ts";
import { type Mesh, startMesh } from "./mesh.ts";
import { states } from "./state.ts";

export interface Generations {
  /** Compiles, and replaces what runs where something changed. Says what is wrong, and keeps what is good. */
  readonly next: () => Promise<Compiled | undefined>;
  readonly stop: () => Promise<void>;
}

/**
 * @param log a line of a Worker
 * @param tell a line about the loop itself
 */
export const generations = (
  root: string,
  env: string,
  door: Door,
  log: (line: string) => void,
  tell: (line: string) => void,
): Generations => {
  const state = states(path.join(root, ".state", env), log);
  let mesh: Mesh | undefined;
  let digest = "";
  let good: Compiled | undefined;
  const ending = new Set<Promise<void>>();

  const replace = async (
    compiled: Compiled,
    emitted: readonly Emitted[],
    secrets: Readonly<Record<string, string>>,
  ): Promise<boolean> => {
    await state.turnTo(emitted.filter(({ kind }) => kind === "state"));
    const fresh = await startMesh({
      registry: state.registry,
      workers: frontFirst(emitted),
      others: absolute(root, compiled.environment.value.dev.workers),
      consumers: compiled.consumers,
      secrets,
      log,
    });
    const refused = Object.entries(fresh.refused);
    for (const [worker, reason] of refused) tell(pc.red(`${worker} threw at start: ${reason}`));
    // One that had thrown before is no reason to keep the others' edits back.
    const known = mesh?.refused ?? {};
    if (mesh && refused.some(([worker]) => !(worker in known))) {
      await fresh.dispose();
      return false;
    }
    const before = mesh;
    mesh = fresh;
    const drained = door.turnTo(fresh.url).then(() => before?.dispose());
    ending.add(drained);
    void drained.finally(() => ending.delete(drained));
    return true;
  };

  return {
    next: async () => {
      const started = performance.now();
      const again = mesh !== undefined;
      try {
        const compiled = compile(root, env, good);
        if (compiled.problems.length > 0) tell(`\n${report(compiled.problems, compiled)}`);
        if (compiled.sharedBroken) throw new Error("nothing can run until the file that all tiers share is mended");
        for (const { checked } of compiled.tiers)
          if (good && compiled.problems.some(({ file }) => file === checked.source.file))
            tell(`${checked.manifest.tier} goes on with its last good manifest`);
        const emitted = await emit(root, compiled, {
          partial: true,
          explain: compiled.environment.value.explain?.key ?? ownKey(root, env),
        });
        const secrets = localSecrets(root, env, compiled.environment.value.dev.secrets);
        const now = JSON.stringify([emitted.map((it) => it.digest), compiled.consumers, secrets]);
        if (now === digest) return compiled;
        if (!(await replace(compiled, emitted, secrets))) {
          tell("what ran before goes on running");
          return undefined;
        }
        good = compiled;
        digest = now;
        if (again) tell(pc.green(`reloaded in ${Math.round(performance.now() - started)} ms`));
        return compiled;
      } catch (error) {
        if (!again) throw error;
        tell(`${pc.red((error as Error).message)}\nwhat ran before goes on running`);
        return undefined;
      }
    },
    stop: async () => {
      await Promise.all([mesh?.dispose(), ...ending]);
      await state.dispose();
    },
  };
};

/** The front is the Worker that the outside reaches. */
const frontFirst = (emitted: readonly Emitted[]): Emitted[] =>
  emitted
    .filter(({ kind }) => kind !== "state")
    .toSorted((a, b) => Number(b.kind === "front") - Number(a.kind === "front"));

const absolute = (root: string, files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path.join(root, file)]));
