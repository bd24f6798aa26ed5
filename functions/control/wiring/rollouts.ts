/** The rollouts object of a tier: connects the controller to the platform, telemetry and the feed. */

import { frontName } from "../../front/own-counts.ts";
import { answerSchemas, callActuator } from "../actuator/answers.ts";
import { overlayPlatform, renewEntry } from "../cutover/platform.ts";
import { criteriaOf } from "../model/criteria.ts";
import type { ControlPlan, ReleaseFacts } from "../model/plan.ts";
import type { Rollout } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { parseSubject, subjectFacts } from "../model/subject.ts";
import { amendEntries, type Feed, feedClient } from "../overlay/feed-client.ts";
import { rolloutController } from "../rollout/controller.ts";
import { drainEntryOf, publishDrain } from "../rollout/drain.ts";
import { type ProbePorts, probeFront, probeTargets, smokeTestFront } from "../rollout/front-probes.ts";
import type { RolloutPorts } from "../rollout/ports.ts";
import { evaluateQueries } from "../rollout/queries.ts";
import { signLabel, smokeTest, testLabel } from "../rollout/smoke.ts";
import { judge } from "../rollout/verdict.ts";
import { queryPrometheus } from "../telemetry/prometheus-query.ts";
import type { Bindings, Rollouts } from "./bindings.ts";
import { evidenceOf } from "./evidence.ts";
import { notifier } from "./notify.ts";

export const tierRollouts = (
  plan: ControlPlan,
  env: Bindings,
  storage: DurableObjectStorage,
  runtime: World,
): Rollouts => {
  const feed = feedClient(env.FEED);
  const overlay = overlayPlatform(feed, plan, runtime);
  const probes = ({ subjects }: Rollout): ProbePorts => ({
    ...runtime,
    label: (tiers) => signLabel(subjects, tiers, plan.environment, env.CONTROL_KEY, runtime.now()),
  });
  const platformOf = (name: string): RolloutPorts["platform"] =>
    parseSubject(name).route === null ? workersPlatform(env) : overlay;
  const controller = rolloutController({
    storage,
    platform: {
      deployments: (name) => platformOf(name).deployments(name),
      split: (name, versions, message) => platformOf(name).split(name, versions, message),
      version: (name, version) => platformOf(name).version(name, version),
    },
    evidence: (it, stretch) => evidenceOf(env, plan, it, stretch, runtime.now()),
    judge: (it, stages) => judge(stages, criteriaOf(it)),
    queries: async (it) => {
      const queried = evaluateQueries(
        { ...it, tier: parseSubject(it.tier).tier },
        async (promql) =>
          plan.prometheus
            ? queryPrometheus(promql, plan.prometheus, env.PROMETHEUS_TOKEN, runtime.fetch)
            : { none: "no Prometheus is configured: control.prometheus in the environment" },
        runtime.now(),
      );
      if (it.tier !== frontName) return queried;
      return [...(await queried), ...(await probeFront(it, probeTargets(plan, it.smoke), probes(it)))];
    },
    smoke: async (it) => {
      if (it.tier === frontName) return smokeTestFront(it, probeTargets(plan, it.smoke), probes(it));
      const label = await testLabel(it, plan, env.CONTROL_KEY, runtime.now());
      return smokeTest(it, factsOf(plan, it), plan.front, label, runtime.fetch);
    },
    notify: notifier(env),
    now: runtime.now,
    random: runtime.random,
    uuid: runtime.uuid,
  });
  const renew = entryRenewer(controller, plan, feed, storage, runtime);
  const publishDrain = drainPublisher(controller, plan, feed, storage, runtime);
  return {
    ...controller,
    reconcile: async () => {
      await controller.reconcile();
      await publishDrain();
      await renew();
    },
  };
};

/** The platform for Workers, through the actuator. */
const workersPlatform = ({ ACTUATOR: actuator }: Pick<Bindings, "ACTUATOR">): RolloutPorts["platform"] => ({
  deployments: (worker) => callActuator(actuator, "deployments", { worker }, answerSchemas.deployments),
  split: (worker, versions, message) =>
    callActuator(actuator, "split", { worker, versions, message }, answerSchemas.split),
  version: (worker, version) => callActuator(actuator, "version", { worker, version }, answerSchemas.version),
});

/** How often the expiry of a cutover entry, which is days ahead, is checked. */
const renewIntervalMs = 60 * 60_000;

/** Retry delay after a failed call to the feed. */
const retryMs = 2000;

/** Publishes the drain entry of a version that was rolled back. */
const drainPublisher =
  (controller: Rollouts, plan: ControlPlan, feed: Feed, storage: DurableObjectStorage, { now, log }: World) =>
  async (): Promise<void> => {
    const it = await controller.status();
    const entry = it && parseSubject(it.tier).route === null ? drainEntryOf(it, now()) : undefined;
    if (!it || !entry) return;
    const tiers = new Set(it.subjects.flatMap(({ worker }) => tiersServed(plan, it.tier, worker)));
    try {
      await publishDrain(feed, storage, [...tiers], entry);
    } catch (error) {
      log({ type: "fault", tier: it.tier, route: null, cause: String(error).slice(0, 200) });
      await storage.setAlarm(now() + retryMs);
    }
  };

/** Renews a cutover's overlay entry, also after the rollout has ended. */
const entryRenewer = (
  controller: Rollouts,
  plan: ControlPlan,
  feed: Feed,
  storage: DurableObjectStorage,
  { now, log }: World,
): (() => Promise<void>) => {
  let renewedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const it = await controller.status();
    const { tier, route } = parseSubject(it?.tier ?? "");
    if (!it || route === null) return;
    if (now() - renewedAt >= renewIntervalMs) {
      renewedAt = now();
      const facts = subjectFacts(plan, it.tier) && plan.tiers[tier];
      await amendEntries(feed, tier, renewEntry(it, facts, now())).catch((error) =>
        log({ type: "fault", tier, route, cause: String(error).slice(0, 200) }),
      );
    }
    if ((await storage.getAlarm()) === null) await storage.setAlarm(now() + renewIntervalMs);
  };
};

const factsOf = ({ tiers }: ControlPlan, { tier }: Rollout): ReleaseFacts => {
  const facts = tiers[tier];
  if (!facts) throw new Error(`the tier "${tier}" no longer exists in control's plan`);
  return facts;
};
