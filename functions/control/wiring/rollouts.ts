/** The rollouts object of a tier: connects the controller to the platform, telemetry and the feed. */

import { frontName } from "../../front/front-name.ts";
import { answerSchemas, callActuator } from "../actuator/answers.ts";
import { overlayPlatform, renewEntry } from "../cutover/platform.ts";
import { criteriaOf } from "../model/criteria.ts";
import type { ControlPlan, ReleaseFacts } from "../model/plan.ts";
import { isUnderWay, type Rollout } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { parseSubject, subjectFacts } from "../model/subject.ts";
import { drainEntryOf, publishDrain } from "../overlay/drain.ts";
import { publishEpoch } from "../overlay/epochs.ts";
import { amendEntries, type Feed, feedClient } from "../overlay/feed-client.ts";
import { measureEntryOf, publishMeasure } from "../overlay/measure-entry.ts";
import { type ProbePorts, probeFront, probeTargets, smokeTestFront } from "../probes/front-probes.ts";
import { signLabel, smokeTest, testLabel } from "../probes/smoke.ts";
import { rolloutController } from "../rollout/controller.ts";
import { rememberingPlatform } from "../rollout/live.ts";
import type { RolloutPorts } from "../rollout/ports.ts";
import { queryPrometheus } from "../telemetry/prometheus-query.ts";
import { evaluateQueries } from "../verdict/queries.ts";
import { judge } from "../verdict/verdict.ts";
import type { Bindings, Rollouts } from "./bindings.ts";
import { rememberEnded } from "./ended-evidence.ts";
import { evidenceOf } from "./evidence.ts";
import { notifier } from "./notify.ts";

export const tierRollouts = (
  plan: ControlPlan,
  env: Bindings,
  storage: DurableObjectStorage,
  runtime: World,
): Rollouts => {
  const feed = feedClient(env.FEED);
  const newPlatform = () => platformFor(plan, env, feed, runtime);
  const platform = rememberingPlatform(newPlatform(), newPlatform(), runtime.now);
  const probes = ({ subjects }: Rollout): ProbePorts => ({
    ...runtime,
    label: (tiers) => signLabel(subjects, tiers, plan.environment, env.CONTROL_KEY, runtime.now()),
  });
  const controller = rolloutController({
    storage,
    platform,
    evidence: rememberEnded((it, stretch) => evidenceOf(env, plan, it, stretch, runtime.now()), runtime.now),
    judge: (it, stages) => judge(stages, criteriaOf(it), { forecast: true }),
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
    publishEpoch: (workers, epoch) => publishEpoch(feed, workersOf(plan), workers, epoch),
    notify: notifier(env),
    now: runtime.now,
    random: runtime.random,
    uuid: runtime.uuid,
  });
  const renew = entryRenewer(controller, plan, feed, storage, runtime);
  const publishEntries = entryPublisher(controller, plan, feed, storage, runtime);
  return {
    ...controller,
    live: platform.live,
    /** An earlier release set no alarm for a paused rollout, so one is set when somebody looks at it. */
    status: async () => {
      const it = await controller.status();
      if (isUnderWay(it) && (await storage.getAlarm()) === null) await storage.setAlarm(runtime.now());
      return it;
    },
    reconcile: async () => {
      await controller.reconcile();
      await publishEntries();
      await renew();
    },
  };
};

/** The platform for Workers, and for routes with a cutover. */
const platformFor = (
  plan: ControlPlan,
  env: Pick<Bindings, "ACTUATOR">,
  feed: Feed,
  runtime: World,
): RolloutPorts["platform"] => {
  const overlay = overlayPlatform(feed, plan, runtime);
  const workers = workersPlatform(env);
  const platformOf = (name: string) => (parseSubject(name).route === null ? workers : overlay);
  return {
    deployments: (name) => platformOf(name).deployments(name),
    split: (name, versions, message) => platformOf(name).split(name, versions, message),
    version: (name, version) => platformOf(name).version(name, version),
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

/** Publishes the entries for the gates: they measure bodies during a rollout, and drain a version that was rolled back. */
const entryPublisher =
  (
    controller: Pick<Rollouts, "status">,
    plan: ControlPlan,
    feed: Feed,
    storage: DurableObjectStorage,
    { now, log }: World,
  ) =>
  async (): Promise<void> => {
    const it = await controller.status();
    // The front has no gates of its own.
    if (!it || it.tier === frontName) return;
    const { tier, route } = parseSubject(it.tier);
    const drain = route === null ? drainEntryOf(it, now()) : undefined;
    const tiers =
      route === null ? [...new Set(it.subjects.flatMap(({ worker }) => tiersServed(plan, it.tier, worker)))] : [tier];
    const attempt = async (work: Promise<void>): Promise<void> => {
      try {
        await work;
      } catch (error) {
        log({ type: "fault", tier: it.tier, route: null, cause: String(error).slice(0, 200) });
        await storage.setAlarm(now() + retryMs);
      }
    };
    // The drain is urgent.
    if (drain) await attempt(publishDrain(feed, storage, tiers, drain));
    await attempt(publishMeasure(feed, storage, tiers, measureEntryOf(it, now())));
  };

/** Renews a cutover's overlay entry, also after the rollout has ended. */
const entryRenewer = (
  controller: Pick<Rollouts, "status">,
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

const workersOf = ({ tiers }: ControlPlan): ReadonlySet<string> =>
  new Set(Object.values(tiers).flatMap(({ workers }) => workers));

const factsOf = ({ tiers }: ControlPlan, { tier }: Rollout): ReleaseFacts => {
  const facts = tiers[tier];
  if (!facts) throw new Error(`the tier "${tier}" no longer exists in control's plan`);
  return facts;
};
