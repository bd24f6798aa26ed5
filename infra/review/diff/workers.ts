/** Which Workers are another version, new or gone. What they are made of says so, as it does for `postern deploy`. */
import type { Picture, WorkerPicture } from "./picture.ts";

export interface WorkerChange {
  readonly worker: string;
  readonly kind: WorkerPicture["kind"];
  readonly what: "new version" | "created" | "removed";
  /** Of a gate. */
  readonly tiers: readonly string[];
  /** It serves a core tier. */
  readonly core: boolean;
}

export const workersDiffer = (before: Picture, after: Picture): WorkerChange[] => {
  const names = [...new Set([...before.workers.keys(), ...after.workers.keys()])].sort();
  return names.flatMap((worker): WorkerChange[] => {
    const [a, b] = [before.workers.get(worker), after.workers.get(worker)];
    if (a?.content === b?.content) return [];
    const { kind, tiers } = (b ?? a) as WorkerPicture;
    const what = a && b ? "new version" : b ? "created" : "removed";
    const core = tiers.some((tier) => (b ? after : before).tiers.get(tier)?.plan.level === "core");
    return [{ worker, kind, what, tiers, core }];
  });
};
