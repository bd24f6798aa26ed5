/** A tier's rollouts with the real world around them. */
import { sideKey } from "../../gateway/cutover.ts";
import { oldMs } from "../../gateway/overlay.ts";
import type { Side } from "../../gateway/types.ts";
import { amend, type Feed, feedOf } from "../amend.ts";
import type { Bindings, Rollouts, World } from "../bindings.ts";
import { factsIn, overlayPlatform, renewed, subjectIn } from "../cutovers.ts";
import { remote } from "../namespaces.ts";
import type { ControlPlan, TierFacts } from "../plan.ts";
import { figureOf } from "../prometheus-query.ts";
import { sum } from "../telemetry/samples.ts";
import { criteriaOf } from "./criteria.ts";
import type { Stage } from "./evidence.ts";
import { type Answer, type Ports, rollouts } from "./object.ts";
import { queriesOf } from "./queries.ts";
import { labelOf, smokeTest } from "./smoke.ts";
import type { Rollout, Stretch } from "./state.ts";
import { judge } from "./verdict.ts";

export const rolloutsOf = (plan: ControlPlan, env: Bindings, storage: DurableObjectStorage, world: World): Rollouts => {
  const feed = feedOf(env.FEED);
  const overlay = overlayPlatform(feed, plan, world);
  const platformOf = (name: string): Ports["platform"] => (subjectIn(name).route === null ? workers(env) : overlay);
  const all = rollouts({
    storage,
    platform: {
      deployments: (name) => platformOf(name).deployments(name),
      split: (name, versions, message) => platformOf(name).split(name, versions, message),
    },
    evidence: (it, stretch) => evidenceOf(env, it, stretch, world.now()),
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
      const label = await labelOf(it, env.CONTROL_KEY, world.now());
      return smokeTest(it, factsOf(plan, it), plan.front, label, world.fetch);
    },
    tell: async () => {},
    now: world.now,
    random: world.random,
    uuid: world.uuid,
  });
  return { ...all, look: renewing(all, plan, feed, storage, world) };
};

/** The platform of Workers. */
const workers = (env: Bindings): Ports["platform"] => ({
  deployments: (worker) => asked(env, "deployments", { worker }),
  split: (worker, versions, message) => asked(env, "split", { worker, versions, message }),
});

/** How often the time of an entry is looked at, which is days. */
const renewMs = 60 * 60_000;

/** A look that also keeps the entry of a route that is cut over, after the rollout's end as well. */
const renewing = (
  all: Rollouts,
  plan: ControlPlan,
  feed: Feed,
  storage: DurableObjectStorage,
  { now, log }: World,
): Rollouts["look"] => {
  let renewedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    await all.look();
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
  const { tier, route } = subjectIn(it.tier);
  const settling = route === null ? settlingMs : settlingMs + oldMs;
  const since = Math.min(stretch.since + settling, stretch.until ?? now);
  const until = stretch.until ?? now;
  const store = remote(env.TELEMETRY, tier);
  const countedAs = (version: string) => (route === null ? version : sideKey(route, version as Side));
  const of = async (which: "stable" | "canary") => {
    const samples = await Promise.all(
      it.subjects.map((subject) => store.between(countedAs(subject[which]), since, until)),
    );
    return samples.reduce(sum);
  };
  const [stable, canary] = await Promise.all([of("stable"), of("canary")]);
  return { share: stretch.share / 100, since, until, stable, canary };
};
