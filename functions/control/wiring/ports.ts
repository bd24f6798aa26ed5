/** What the admin API asks of the objects of control. */

import { Declined, type Desk } from "../api/ports.ts";
import { movedOf } from "../cutover/platform.ts";
import { prometheus } from "../exporters/prometheus.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import { fromManifest } from "../model/release.ts";
import type { Step } from "../model/rollout.ts";
import { rolloutsKept } from "../model/shared-gates.ts";
import { subjectIn } from "../model/subject.ts";
import type { World } from "../model/runtime.ts";
import { feedOf } from "../overlay/feed-client.ts";
import { labelOf } from "../rollout/smoke.ts";
import { objectOf, type Remote } from "../rpc/objects.ts";
import { granted } from "../rpc/refusals.ts";
import { costsOf } from "../telemetry/cost.ts";
import { instruments } from "../telemetry/instruments.ts";
import type { Bindings, WaveCalls } from "./bindings.ts";
import { measuredBy } from "./evidence.ts";
import { noticesOf, tellOf } from "./notify.ts";
import { theWaves } from "./waves.ts";

/** The one ledger of an environment. */
const ledger = "ledger";

export const deskOf = (plan: ControlPlan, env: Bindings, world: World): Desk => {
  const of = (tier: string) => objectOf(env.ROLLOUTS, rolloutsKept(plan, tier));
  const kept = async (tier: string) => {
    const store = objectOf(env.TELEMETRY, tier);
    const [series, tallies] = await Promise.all([store.series(), store.tallies()]);
    return { series, tallies };
  };
  const feed = feedOf(env.FEED);
  /** Of a route that is cut over those that move more users than have been moved. */
  const stepsFor = async (name: string, facts: TierFacts, steps: readonly Step[]): Promise<readonly Step[]> => {
    const { tier, route } = subjectIn(name);
    if (route === null) return steps;
    const moved = movedOf((await feed.read(tier)).entries, route, facts);
    const more = steps.filter(({ share }) => share > moved * 100);
    if (more.length === 0) throw new Declined(`all users of ${name} are at the gate already`);
    return more;
  };
  return {
    status: async (tier) => (await of(tier).status()) ?? null,
    measured: (it) => measuredBy(env, plan, it, world.now()),
    history: (tier) => of(tier).history(),
    candidates: async (tier, facts) => granted(await of(tier).candidates({ tier, facts })),
    start: async (tier, facts, { release, by, reason, commit, approved }) => {
      const given = fromManifest(release);
      const steps = await stepsFor(tier, facts, given.steps);
      return granted(await of(tier).start({ ...given, tier, facts, steps, by, reason, commit, approved }));
    },
    ask: async (tier, command, by, reason, approved) =>
      granted(await of(tier).ask(command, by, reason, undefined, approved)),
    label: (it) => labelOf(it, plan, env.CONTROL_KEY, world.now()),
    cost: async (tier) => costsOf(await kept(tier)),
    metrics: async (only) => {
      const tiers = Object.keys(plan.tiers).filter((tier) => only === undefined || tier === only);
      return prometheus(
        await Promise.all(tiers.map(async (tier) => ({ tier, instruments: instruments(await kept(tier)) }))),
      );
    },
    overlay: feed,
    ledger: objectOf(env.LEDGER, ledger),
    waves: wavesIn(objectOf(env.WAVES, theWaves)),
    notices: noticesOf(env),
    tell: tellOf(env),
    now: world.now,
    uuid: world.uuid,
    log: world.log,
  };
};

const wavesIn = (waves: Remote<WaveCalls>): Desk["waves"] => ({
  status: async () => (await waves.status()) ?? null,
  history: () => waves.history(),
  check: async (given) => void granted(await waves.check(given)),
  start: async (given) => granted(await waves.start(given)),
  ask: async (given) => granted(await waves.ask(given)),
});
