/** Checks the control plane after a deployment, by control's own API. */
import { setTimeout } from "node:timers/promises";
import type { CheckResult } from "../../functions/control/api/ports.ts";
import type { Compiled } from "../compiler/compile.ts";
import type { Emitted } from "../compiler/emit/emit.ts";
import { controlClient } from "./control-client.ts";
import { hasFailed } from "./deploy.ts";
import type { DeployedWorker } from "./deploy-worker.ts";
import type { Target } from "./target.ts";

export interface ControlCheck {
  /** Null if no operator is known here. */
  readonly ok: boolean | null;
  /** What failed and why, or why it was not checked; empty if all parts answer. */
  readonly why: string;
}

const checkedKinds: readonly Emitted["kind"][] = ["control", "feed", "actuator"];
/** A new version may take a moment to reach the edge, and an object to restart. */
const maxAttempts = 4;
const pauseMs = 500;

/** @returns undefined if nothing was deployed that it could check */
export const checkControl = async (
  root: string,
  { environment }: Pick<Compiled, "environment">,
  target: Target,
  results: readonly DeployedWorker[],
  selected: readonly Emitted[],
): Promise<ControlCheck | undefined> => {
  const changed = results.some(
    (it) =>
      !hasFailed(it) &&
      it.what !== "unchanged" &&
      selected.some(({ kind, worker }) => worker === it.worker && checkedKinds.includes(kind)),
  );
  if (!changed || !environment.value.control) return undefined;
  let client: ReturnType<typeof controlClient>;
  try {
    client = controlClient(root, environment, target);
  } catch (error) {
    return { ok: null, why: (error as Error).message };
  }
  let why = "";
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0) await setTimeout(pauseMs);
    try {
      const parts = await client.call<readonly CheckResult[]>("GET", "/v1/check");
      const failed = parts.filter(({ ok }) => !ok);
      if (failed.length === 0) return { ok: true, why: "" };
      why = failed.map((it) => `${it.part}: ${it.why}`).join("; ");
    } catch (error) {
      why = (error as Error).message;
    }
  }
  return { ok: false, why };
};
