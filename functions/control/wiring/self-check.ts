/** Calls every Worker and object that control depends on once, such as after a deployment. */

import { frontName } from "../../front/front-name.ts";
import { answerSchemas, callActuator } from "../actuator/answers.ts";
import type { CheckResult } from "../api/ports.ts";
import type { ControlPlan } from "../model/plan.ts";
import { feedClient } from "../overlay/feed-client.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";
import { outboxClient } from "./notify.ts";
import { ledgerObjectName, wavesObjectName } from "./waves.ts";

const timeoutMs = 8000;

/** Reads only. */
export const selfCheck = async ({ tiers, frontFacts }: ControlPlan, env: Bindings): Promise<readonly CheckResult[]> => {
  const [tier = ""] = Object.keys(tiers);
  const [front = ""] = frontFacts.workers;
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    feed: () => feedClient(env.FEED).read(tier),
    actuator: async () => {
      const answer = await callActuator(env.ACTUATOR, "deployments", { worker: front }, answerSchemas.deployments);
      if (!answer.ok) throw new Error(answer.message);
    },
    telemetry: () => objectOf(env.TELEMETRY, frontName).tallies(),
    rollouts: () => objectOf(env.ROLLOUTS, frontName).status(),
    waves: () => objectOf(env.WAVES, wavesObjectName).status(),
    ledger: () => objectOf(env.LEDGER, ledgerObjectName).lines(null, 1),
    notices: () => outboxClient(env).status(),
  };
  return Promise.all(
    Object.entries(calls).map(async ([part, call]): Promise<CheckResult> => {
      try {
        await inTime(call());
        return { part, ok: true, why: null };
      } catch (error) {
        return { part, ok: false, why: (error instanceof Error ? error.message : String(error)).slice(0, 300) };
      }
    }),
  );
};

const inTime = async (work: Promise<unknown>): Promise<void> => {
  const signal = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error(`no answer in ${timeoutMs / 1000} s`))),
  );
  await Promise.race([work, late]);
};
