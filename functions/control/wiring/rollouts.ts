/** A tier's rollouts with the real world around them. */

import { actuatorCall, answers } from "../actuator/answers.ts";
import { overlayPlatform, renewed } from "../cutover/platform.ts";
import { criteriaOf } from "../model/criteria.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { factsIn, subjectIn } from "../model/subject.ts";
import type { World } from "../model/runtime.ts";
import { amend, type Feed, feedOf } from "../overlay/feed-client.ts";
import { type Ports, rollouts } from "../rollout/controller.ts";
import { drainOf, tellDrain } from "../rollout/drain.ts";
import { queriesOf } from "../rollout/queries.ts";
import { labelOf, smokeTest } from "../rollout/smoke.ts";
import { judge } from "../rollout/verdict.ts";
import { figureOf } from "../telemetry/prometheus-query.ts";
import type { Bindings, Rollouts } from "./bindings.ts";
import { evidenceOf } from "./evidence.ts";
import { tellOf } from "./notify.ts";

export const rolloutsOf = (plan: ControlPlan, env: Bindings, storage: DurableObjectStorage, world: World): Rollouts => {
  const feed = feedOf(env.FEED);
  const overlay = overlayPlatform(feed, plan, world);
  const platformOf = (name: string): Ports["platform"] => (subjectIn(name).route === null ? workers(env) : overlay);
  const all = rollouts({
    storage,
    platform: {
      deployments: (name) => platformOf(name).deployments(name),
      split: (name, versions, message) => platformOf(name).split(name, versions, message),
      version: (name, version) => platformOf(name).version(name, version),
    },
    evidence: (it, stretch) => evidenceOf(env, plan, it, stretch, world.now()),
    judge: (it, stages) => judge(stages, criteriaOf(it)),
    queries: (it) =>
      queriesOf(
        { ...it, tier: subjectIn(it.tier).tier },
        async (promql) =>
          plan.prometheus
            ? figureOf(promql, plan.prometheus, env.PROMETHEUS_TOKEN, world.fetch)
            : { none: "the environment names no Prometheus: control.prometheus" },
        world.now(),
      ),
    smoke: async (it) => {
      const label = await labelOf(it, plan, env.CONTROL_KEY, world.now());
      return smokeTest(it, factsOf(plan, it), plan.front, label, world.fetch);
    },
    tell: tellOf(env),
    now: world.now,
    random: world.random,
    uuid: world.uuid,
  });
  const renew = renewing(all, plan, feed, storage, world);
  const drain = draining(all, plan, feed, storage, world);
  return {
    ...all,
    look: async () => {
      await all.look();
      await drain();
      await renew();
    },
  };
};

/** The platform of Workers. */
const workers = ({ ACTUATOR: actuator }: Pick<Bindings, "ACTUATOR">): Ports["platform"] => ({
  deployments: (worker) => actuatorCall(actuator, "deployments", { worker }, answers.deployments),
  split: (worker, versions, message) => actuatorCall(actuator, "split", { worker, versions, message }, answers.split),
  version: (worker, version) => actuatorCall(actuator, "version", { worker, version }, answers.version),
});

/** How often the time of an entry is looked at, which is days. */
const renewMs = 60 * 60_000;

/** How soon a feed that did not answer is told again. */
const againMs = 2000;

/** Has the streams of a version that was taken back end. */
const draining =
  (all: Rollouts, plan: ControlPlan, feed: Feed, storage: DurableObjectStorage, { now, log }: World) =>
  async (): Promise<void> => {
    const it = await all.status();
    const entry = it && subjectIn(it.tier).route === null ? drainOf(it, now()) : undefined;
    if (!it || !entry) return;
    const tiers = new Set(it.subjects.flatMap(({ worker }) => tiersServed(plan, it.tier, worker)));
    try {
      await tellDrain(feed, storage, [...tiers], entry);
    } catch (error) {
      log({ type: "fault", tier: it.tier, route: null, cause: String(error).slice(0, 200) });
      await storage.setAlarm(now() + againMs);
    }
  };

/** Keeps the entry of a route that is cut over, after the rollout's end as well. */
const renewing = (
  all: Rollouts,
  plan: ControlPlan,
  feed: Feed,
  storage: DurableObjectStorage,
  { now, log }: World,
): (() => Promise<void>) => {
  let renewedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const it = await all.status();
    const { tier, route } = subjectIn(it?.tier ?? "");
    if (!it || route === null) return;
    if (now() - renewedAt >= renewMs) {
      renewedAt = now();
      await amend(feed, tier, renewed(it, factsIn(plan, it.tier), now())).catch((error) =>
        log({ type: "fault", tier, route, cause: String(error).slice(0, 200) }),
      );
    }
    if ((await storage.getAlarm()) === null) await storage.setAlarm(now() + renewMs);
  };
};

const factsOf = ({ tiers }: ControlPlan, { tier }: Rollout): TierFacts => {
  const facts = tiers[tier];
  if (!facts) throw new Error(`control knows no tier "${tier}" any more`);
  return facts;
};
