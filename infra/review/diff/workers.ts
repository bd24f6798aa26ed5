/** Lists Workers that get a new version, are created or removed, by the same content as `postern deploy`. */
import type { TierFacts } from "../../../functions/control/model/plan.ts";
import type { EnvironmentModel, WorkerModel } from "./picture/model.ts";

export interface WorkerChange {
  readonly worker: string;
  readonly kind: WorkerModel["kind"];
  readonly what: "new version" | "created" | "removed";
  /** Of a gate. */
  readonly tiers: readonly string[];
  /** Whether it serves a core tier. */
  readonly core: boolean;
  /** Distinct levels of a gate's tiers, the highest first. */
  readonly levels: readonly Level[];
  /** Distinct owners of a gate's tiers. */
  readonly owners: readonly string[];
  /** Whether its release needs a second approver: with a control plane, for a core tier. */
  readonly approved: boolean;
}

export const compareWorkers = (before: EnvironmentModel, after: EnvironmentModel): WorkerChange[] => {
  const names = [...new Set([...before.workers.keys(), ...after.workers.keys()])].sort();
  return names.flatMap((worker): WorkerChange[] => {
    const [a, b] = [before.workers.get(worker), after.workers.get(worker)];
    if (a?.content === b?.content) return [];
    const { kind, tiers } = (b ?? a) as WorkerModel;
    const what = a && b ? "new version" : b ? "created" : "removed";
    const version = b ? after : before;
    const facts = tiers.flatMap((tier) => version.tiers.get(tier)?.facts ?? []);
    const levels = levelOrder.filter((level) => facts.some((it) => it.level === level));
    const owners = [...new Set(facts.flatMap(({ owner }) => owner ?? []))];
    const core = levels.includes("core");
    const approved = core && kind === "gate" && b !== undefined && version.settings.control !== undefined;
    return [{ worker, kind, what, tiers, core, levels, owners, approved }];
  });
};

type Level = TierFacts["level"];
const levelOrder: readonly Level[] = ["core", "standard", "best-effort"];
