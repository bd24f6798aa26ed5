/** The traffic of a world: the requests of all its parts, as the gates report them and control stores them. */
import { groups } from "../../functions/gateway/observability/samples.ts";
import { shapeOf } from "./latency.ts";
import { type Random, seededRandom } from "./random.ts";
import type { TrafficSource } from "./rollout.ts";
import { type SplitCounts, storedSplits } from "./stored.ts";
import {
  addTraffic,
  type Isolates,
  intervalSeconds,
  isolatesAfter,
  type TrafficConditions,
  type VersionModels,
  type VersionTraffic,
  versionTraffic,
  warm,
} from "./traffic.ts";
import { conditionsOverTime } from "./traffic-conditions.ts";
import { assignPositions, type GroupShare, groupSharesOf, type Users, usersOf } from "./users.ts";
import { isActive, type Part, type Population, usual, type World, type WorldBehaviour } from "./world.ts";

export type Version = "stable" | "canary";

/**
 * What happened to the new version's requests, whether it was reported or not, and how many of them would have failed under
 * stable at that time. Attackers' requests are left out.
 */
export interface Outcomes {
  requests: number;
  failed: number;
  failedUnderStable: number;
}

/** @param outcomes grows with each interval of each rollout */
export const trafficOf = (world: World, seed: number, outcomes: Outcomes): TrafficSource => {
  const parts = preparedParts(world, seed);
  const populations = new Set(parts.map(({ users }) => users));
  return (random) => {
    const positions = new Map([...populations].map((it) => [it, positionsOf(it, random)]));
    const conditionsAt = conditionsOverTime(random);
    const stored = storedSplits(Math.floor((random.uniform() * 60) / intervalSeconds) * intervalSeconds);
    return (share, begun) => {
      const counts = stored.begin(begun);
      const running = runningParts(parts, positions, share);
      return {
        stable: counts.stable.sample,
        canary: counts.canary.sample,
        advance: (sinceSplit, sinceStart) => {
          const [conditions, began] = [conditionsAt(sinceStart), sinceStart - intervalSeconds];
          const active = running.filter(({ of }) => isActive(of, share, sinceSplit - intervalSeconds, began));
          stored.report(began, (reported) => {
            addInterval(outcomes, serve(active, reported, sinceSplit, conditions, random));
          });
          stored.merge(sinceStart);
        },
      };
    };
  };
};

/** Adds the requests of all parts in one interval. */
const serve = (
  parts: readonly RunningPart[],
  reported: SplitCounts,
  sinceSplit: number,
  conditions: TrafficConditions,
  random: Random,
): Record<Version, Served> => {
  const served = { stable: noRequests(), canary: noRequests() };
  for (const part of parts) {
    for (const version of ["stable", "canary"] as const) {
      const isolates = measured(version, sinceSplit, part.behaviours[version]);
      const added = addTraffic(reported[version], part[version], isolates, conditions, random);
      if (!part.attacks) addOutcomes(served[version], added, part.behaviours[version]);
    }
  }
  return served;
};

/** Gates measure no latency of a 404. */
const measured = (version: Version, sinceSplit: number, { notFound }: WorldBehaviour): Isolates => {
  const { unmeasured, seconds } = version === "stable" ? warm : isolatesAfter(sinceSplit);
  return { unmeasured: 1 - (1 - unmeasured) * (1 - notFound), seconds };
};

interface Served {
  requests: number;
  failed: number;
}

const noRequests = (): Served => ({ requests: 0, failed: 0 });

const addInterval = (to: Outcomes, { stable, canary }: Record<Version, Served>): void => {
  if (stable.requests === 0) return;
  to.requests += canary.requests;
  to.failed += canary.failed;
  to.failedUnderStable += (canary.requests * stable.failed) / stable.requests;
};

/** Adds to the reported requests those that nobody reported; a 404 of the service is a failure to its user. */
const addOutcomes = (
  to: Served,
  { requests, failed }: { readonly requests: number; readonly failed: number },
  { reports, lost, notFound }: WorldBehaviour,
): void => {
  const reported = reports * (1 - lost);
  if (reported === 0) return;
  to.requests += requests / reported;
  to.failed += (failed + (requests - failed) * notFound + (requests * lost) / (1 - lost)) / reports;
};

interface SimulatedPopulation extends Pick<Population, "first" | "attack"> {
  readonly users: Users;
}

interface PreparedPart {
  readonly of: Part;
  readonly users: SimulatedPopulation;
  readonly behaviours: Record<Version, WorldBehaviour>;
  readonly models: VersionModels;
}

/** What is the same in all rollouts of a world. */
const preparedParts = ({ parts, users, tail }: World, seed: number): PreparedPart[] => {
  const everyone: Population = { users, ...(tail && { tail }) };
  const random = seededRandom(seed);
  const populations = new Map(
    [...new Set(parts.map((it) => it.of ?? everyone))].map((it) => [it, populationOf(it, random)]),
  );
  return parts.map((of) => {
    const stable = { ...usual, ...of.both };
    const canary = { ...stable, ...of.canary };
    return {
      of,
      users: populations.get(of.of ?? everyone) as SimulatedPopulation,
      behaviours: { stable, canary },
      models: { stable: modelOf(stable), canary: modelOf(canary) },
    };
  });
};

const modelOf = (it: WorldBehaviour) => ({
  behaviour: { ...it, reports: it.sent * it.reports * (1 - it.lost) },
  shape: shapeOf(it.slower, it.times),
});

const populationOf = ({ users, tail, ...population }: Population, random: Random): SimulatedPopulation => {
  const drawn = usersOf(users, random, tail);
  const chosen = population.attack?.keys === "chosen";
  return {
    users: chosen
      ? {
          ...drawn,
          activity: drawn.activity.map(() => 1 / users),
          group: drawn.group.map((_, key) => key % groups),
          failing: drawn.failing.map(() => 1),
          refused: drawn.refused.map(() => 1),
        }
      : drawn,
    ...population,
  };
};

/** Chosen keys whose version is known were tried until enough of them had it. */
const positionsOf = ({ users, first, attack }: SimulatedPopulation, random: Random): Float64Array => {
  const known = attack?.keys === "chosen" ? attack.known : undefined;
  if (!first && !known) return assignPositions(users, random);
  return new Float64Array(users.count).fill(known === "stable" ? 1 : 0);
};

type RunningPart = Pick<PreparedPart, "of" | "behaviours"> & { readonly attacks: boolean } & Record<
    Version,
    VersionTraffic
  >;

const runningParts = (
  parts: readonly PreparedPart[],
  positions: ReadonlyMap<SimulatedPopulation, Float64Array>,
  share: number,
): RunningPart[] => {
  const sharesOf = new Map(
    [...positions].map(([it, of]): [SimulatedPopulation, Record<Version, GroupShare[]>] => [
      it,
      silenced(groupSharesOf(it.users, of, share), it.attack?.known),
    ]),
  );
  return parts.map(({ of, users, behaviours, models }) => {
    const shares = sharesOf.get(users) ?? { stable: [], canary: [] };
    return {
      ...{ of, behaviours, attacks: users.attack !== undefined },
      stable: versionTraffic(models.stable, shares.stable, of.rate),
      canary: versionTraffic(models.canary, shares.canary, of.rate),
    };
  });
};

/** Attackers who know their version send only to the one they mean. */
const silenced = (
  shares: Record<Version, GroupShare[]>,
  known: Version | undefined,
): Record<Version, GroupShare[]> => ({
  stable: known === "canary" ? [] : shares.stable,
  canary: known === "stable" ? [] : shares.canary,
});
