/** The plans of the Workers beside control, and the front as control releases it. */
import type { ActuatorPlan, ControlPlan, ReleaseFacts, TailPlan } from "../../../functions/control/model/plan.ts";
import { levels } from "../../../functions/control/model/wave.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import type { Gate } from "../lower/gates.ts";
import { workerName } from "../lower/platform.ts";
import type { CheckedTier } from "../model/checked.ts";

/** How the front is released. It serves all tiers, so the most important one decides who may release it. */
export const frontFacts = (
  tiers: readonly CheckedTier[],
  worker: string,
  release: Environment["front"]["release"],
): ReleaseFacts => {
  const all = tiers.map(({ manifest }) => manifest.level);
  return {
    level: levels.findLast((level) => all.includes(level)) ?? "standard",
    host: tiers.flatMap(({ manifest }) => manifest.hosts).sort()[0] ?? "",
    base: "/",
    workers: [worker],
    release,
  };
};

export const tailPlan = ({ environment, otlp, scheme, tiers, frontFacts }: ControlPlan): TailPlan => {
  const all = Object.entries(tiers);
  const workers = Map.groupBy(
    all.flatMap(([tier, it]) => it.workers.map((worker) => ({ worker, tier }))),
    ({ worker }) => worker,
  );
  return {
    environment,
    otlp,
    scheme,
    workers: Object.fromEntries([...workers].map(([worker, some]) => [worker, some.map(({ tier }) => tier)])),
    front: frontFacts.workers[0] ?? "",
    paths: Object.fromEntries(
      all.map(([tier, { routes }]) => [
        tier,
        Object.fromEntries(Object.entries(routes).map(([route, { path }]) => [route, path])),
      ]),
    ),
  };
};

/** The Workers that the actuator may split: gates and the front. */
export const actuatorPlan = (
  gates: readonly Gate[],
  environment: string,
  { api, account }: NonNullable<Environment["control"]>,
): ActuatorPlan => ({
  api,
  account,
  workers: [...gates.map(({ name }) => workerName(name, environment)), workerName("postern-front", environment)].sort(),
});
