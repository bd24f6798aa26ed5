/** A tier's rollouts with the real world around them. */
import type { Bindings, Rollouts, World } from "../bindings.ts";
import { remote } from "../namespaces.ts";
import type { ControlPlan, TierFacts } from "../plan.ts";
import { sum } from "../telemetry/samples.ts";
import { criteriaOf } from "./criteria.ts";
import type { Stage } from "./evidence.ts";
import { type Answer, rollouts } from "./object.ts";
import { labelOf, smokeTest } from "./smoke.ts";
import type { Rollout, Stretch } from "./state.ts";
import { judge } from "./verdict.ts";

export const rolloutsOf = (plan: ControlPlan, env: Bindings, storage: DurableObjectStorage, world: World): Rollouts =>
  rollouts({
    storage,
    platform: {
      deployments: (worker) => asked(env, "deployments", { worker }),
      split: (worker, versions, message) => asked(env, "split", { worker, versions, message }),
    },
    evidence: (it, stretch) => evidenceOf(env, it, stretch, world.now()),
    judge: (it, stages) => judge(stages, criteriaOf(it)),
    smoke: async (it) => {
      const label = await labelOf(it, env.CONTROL_KEY, world.now());
      return smokeTest(it, factsOf(plan, it), plan.front, label, world.fetch);
    },
    tell: async () => {},
    now: world.now,
    random: world.random,
    uuid: world.uuid,
  });

const factsOf = ({ tiers }: ControlPlan, { tier }: Rollout): TierFacts => {
  const facts = tiers[tier];
  if (!facts) throw new Error(`control knows no tier "${tier}" any more`);
  return facts;
};

const asked = async <T>(env: Bindings, verb: string, given: object): Promise<Answer<T>> => {
  try {
    const response = await env.ACTUATOR.fetch(`https://actuator/${verb}`, {
      method: "POST",
      body: JSON.stringify(given),
    });
    return (await response.json()) as Answer<T>;
  } catch (error) {
    return { ok: false, status: 0, code: null, message: error instanceof Error ? error.message : String(error) };
  }
};

/** Reports of the last split still come in for so long. */
const settlingMs = 4000;

/** Both versions at the same time, all Workers of the tier together. */
const evidenceOf = async (env: Bindings, it: Rollout, stretch: Stretch, now: number): Promise<Stage> => {
  const since = Math.min(stretch.since + settlingMs, stretch.until ?? now);
  const until = stretch.until ?? now;
  const store = remote(env.TELEMETRY, it.tier);
  const of = async (which: "stable" | "canary") => {
    const samples = await Promise.all(it.subjects.map((subject) => store.between(subject[which], since, until)));
    return samples.reduce(sum);
  };
  const [stable, canary] = await Promise.all([of("stable"), of("canary")]);
  return { share: stretch.share / 100, since, until, stable, canary };
};
