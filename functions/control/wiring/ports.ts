/** The admin API's ports, connected to control's Durable Objects and the feed. */

import { frontName } from "../../front/front-name.ts";
import { ConflictError, type ControlPorts } from "../api/ports.ts";
import { movedShare } from "../cutover/platform.ts";
import { prometheusText } from "../exporters/prometheus.ts";
import type { ControlPlan } from "../model/plan.ts";
import { rolloutSettings } from "../model/release.ts";
import type { RolloutStep } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import { rolloutObjectName } from "../model/shared-gates.ts";
import { parseSubject } from "../model/subject.ts";
import { feedClient } from "../overlay/feed-client.ts";
import { testLabel } from "../probes/smoke.ts";
import { rolloutInstruments } from "../rollout/instruments.ts";
import { objectOf, type Remote } from "../rpc/objects.ts";
import { throwRefusal } from "../rpc/refusals.ts";
import { costsOf } from "../telemetry/cost.ts";
import { instrumentsOf } from "../telemetry/instruments.ts";
import type { Bindings, WaveCalls } from "./bindings.ts";
import { measureRollout } from "./evidence.ts";
import { notifier, outboxClient } from "./notify.ts";
import { rolloutsOfTier } from "./rollouts-of-tier.ts";
import { selfCheck } from "./self-check.ts";
import { plannedRelease, readTraffic } from "./traffic.ts";
import { ledgerObjectName, wavesObjectName } from "./waves.ts";

export const controlPorts = (plan: ControlPlan, env: Bindings, runtime: World): ControlPorts => {
  const rolloutsOf = (tier: string) => objectOf(env.ROLLOUTS, rolloutObjectName(plan, tier));
  const storedTelemetry = async (tier: string) => {
    const store = objectOf(env.TELEMETRY, tier);
    const [series, tallies] = await Promise.all([store.series(), store.tallies()]);
    return { series, tallies };
  };
  const feed = feedClient(env.FEED);
  /** For a cutover, only the steps that move more users than are moved already. */
  const stepsFor = async (name: string, steps: readonly RolloutStep[]): Promise<readonly RolloutStep[]> => {
    const { tier, route } = parseSubject(name);
    if (route === null) return steps;
    const moved = movedShare((await feed.read(tier)).entries, route, plan.tiers[tier] ?? { routes: {} });
    const more = steps.filter(({ share }) => share > moved * 100);
    if (more.length === 0) throw new ConflictError(`the gate already serves all users of ${name}`);
    return more;
  };
  return {
    status: async (tier) => (await rolloutsOf(tier).status()) ?? null,
    measure: (it) => measureRollout(env, plan, it, runtime.now()),
    live: (tier, { workers }) => rolloutsOf(tier).live(workers),
    history: (tier) => rolloutsOf(tier).history(),
    traffic: (tier) => readTraffic(env, plan, tier, runtime.now()),
    planned: (tier, release) => plannedRelease(env, plan, tier, release, runtime.now()),
    candidates: async (tier, facts, retry) => throwRefusal(await rolloutsOf(tier).candidates({ tier, facts, retry })),
    start: async (tier, facts, { release, by, reason, commit, retry, approved }) => {
      const settings = rolloutSettings(await plannedRelease(env, plan, tier, release, runtime.now()));
      const steps = await stepsFor(tier, settings.steps);
      // Requests in flight stay with the version of the front that began them, so there is nothing to drain.
      const own = tier === frontName ? { ...settings, drainMs: 0 } : settings;
      return throwRefusal(
        await rolloutsOf(tier).start({ ...own, tier, facts, steps, by, reason, commit, retry, approved }),
      );
    },
    command: async (tier, command, by, reason, approved) =>
      throwRefusal(await rolloutsOf(tier).ask(command, by, reason, undefined, approved)),
    label: (it) => testLabel(it, plan, env.CONTROL_KEY, runtime.now()),
    cost: async (tier) => costsOf(await storedTelemetry(tier)),
    metrics: async (only) => {
      const tiers = [...Object.keys(plan.tiers), frontName].filter((tier) => only === undefined || tier === only);
      const withRollouts = async (tier: string) => {
        const [stored, rollouts] = await Promise.all([
          storedTelemetry(tier),
          rolloutsOfTier(plan, env, tier).catch(() => []),
        ]);
        return { tier, instruments: [...instrumentsOf(tier, stored), ...rolloutInstruments(rollouts, runtime.now())] };
      };
      return prometheusText(await Promise.all(tiers.map(withRollouts)));
    },
    check: () => selfCheck(plan, env),
    overlay: feed,
    ledger: objectOf(env.LEDGER, ledgerObjectName),
    waves: wavePorts(objectOf(env.WAVES, wavesObjectName)),
    notices: outboxClient(env),
    notify: notifier(env),
    now: runtime.now,
    uuid: runtime.uuid,
    log: runtime.log,
  };
};

const wavePorts = (waves: Remote<WaveCalls>): ControlPorts["waves"] => ({
  status: async () => (await waves.status()) ?? null,
  history: () => waves.history(),
  check: async (request) => void throwRefusal(await waves.check(request)),
  start: async (request) => throwRefusal(await waves.start(request)),
  ask: async (request) => throwRefusal(await waves.ask(request)),
});
