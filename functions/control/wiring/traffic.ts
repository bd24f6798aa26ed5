/** Reads the traffic of a tier, of a route with a cutover, or of the front, before a release of it. */
import { frontName } from "../../front/front-name.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import type { Rollout, Stretch } from "../model/rollout.ts";
import { rolloutObjectName, tiersServed } from "../model/shared-gates.ts";
import { parseSubject } from "../model/subject.ts";
import { withSteps } from "../planning/auto-steps.ts";
import { type Clients, clientsIn, type TrafficEstimate, trafficOf } from "../planning/traffic.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";
import { evidenceOf } from "./evidence.ts";

type Objects = Pick<Bindings, "TELEMETRY" | "ROLLOUTS">;
type Tiers = Pick<ControlPlan, "tiers">;

/** @returns null if too little was counted */
export const readTraffic = async (
  env: Objects,
  plan: Tiers,
  name: string,
  now: number,
): Promise<TrafficEstimate | null> => {
  const { route } = parseSubject(name);
  const rollouts = await objectOf(env.ROLLOUTS, rolloutObjectName(plan, name)).history();
  const [clients, ...series] = await Promise.all([
    clientsOf(env, plan, rollouts, now).catch(() => null),
    ...tiersOf(plan, name).map((tier) => objectOf(env.TELEMETRY, tier).series()),
  ]);
  return trafficOf(
    series.flat().filter((it) => route === null || it.route === route),
    clients,
    unprovenIn(rollouts),
  );
};

/** Versions that were released, and not to all users since. */
const unprovenIn = (rollouts: readonly Rollout[]): ReadonlySet<string> => {
  const canariesOf = (some: readonly Rollout[]) => some.flatMap(({ subjects }) => subjects.map(({ canary }) => canary));
  const promoted = new Set(canariesOf(rollouts.filter(({ status }) => status === "promoted")));
  return new Set(canariesOf(rollouts).filter((version) => !promoted.has(version)));
};

/** `release.steps: auto` becomes the steps that the traffic allows. */
export const plannedRelease = async (
  env: Objects,
  plan: Tiers,
  name: string,
  release: ReleaseConfig,
  now: number,
): Promise<ReleaseConfig> =>
  release.steps === "auto" ? withSteps(release, await readTraffic(env, plan, name, now)) : release;

/** The front counts its own answers, by version. */
const tiersOf = ({ tiers }: Tiers, name: string): readonly string[] => {
  if (name === frontName) return [frontName];
  const { tier, route } = parseSubject(name);
  const workers = route === null && Object.hasOwn(tiers, tier) ? tiers[tier]?.workers : undefined;
  return workers ? [...new Set(workers.flatMap((worker) => tiersServed({ tiers }, name, worker)))] : [tier];
};

/** Of the newest rollouts, one has counted the clients. */
const maxRollouts = 3;

const clientsOf = async (
  env: Objects,
  plan: Tiers,
  rollouts: readonly Rollout[],
  now: number,
): Promise<Clients | null> => {
  for (const it of rollouts.slice(0, maxRollouts)) {
    const stretch = longestOf(it, now);
    const clients = stretch && clientsIn((await evidenceOf(env, plan, it, stretch, now)).units);
    if (clients) return clients;
  }
  return null;
};

/** The longest period in which both versions had users. */
const longestOf = ({ stretches }: Rollout, now: number): Stretch | undefined =>
  stretches
    .filter(({ share }) => share > 0 && share < 100)
    .toSorted((a, b) => (b.until ?? now) - b.since - ((a.until ?? now) - a.since))[0];
