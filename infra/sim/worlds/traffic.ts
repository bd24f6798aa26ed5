/** The traffic of a world during one rollout: the requests of all its parts, counted into the evidence of each split. */
import { binsOf } from "../../../functions/control/stats/percentile.ts";
import { StageEvidence } from "../../../functions/control/stats/stage-evidence.ts";
import type { Settling } from "../../../functions/control/stats/stage-summary.ts";
import { type Behaviour, modelOf, usual, type VersionModel } from "../traffic/behaviour.ts";
import { assignPositions, type Clients, clientsOf, distances, type Population } from "../traffic/clients.ts";
import { type Conditions, conditionsOverTime, intervalSeconds } from "../traffic/conditions.ts";
import { countingOf } from "../traffic/counting.ts";
import {
  addPast,
  exceedingOf,
  noPast,
  type PastLatency,
  raised,
  thresholdsOf,
  thresholdsPerRoute,
} from "../traffic/latency.ts";
import { type Random, seededRandom } from "../traffic/random.ts";
import { drawRequests, type Harm, type Sinks, type VersionPeriod } from "../traffic/requests.ts";
import { isActive, type Part, type World } from "./world.ts";

/** A period with an unchanged split. */
export interface SimulatedStage {
  /** The canary's share of users, in (0, 1). */
  readonly share: number;
  /** Seconds since the start of the rollout. */
  readonly since: number;
  readonly evidence: StageEvidence;
  /** Requests as the tail saw them, stable's and the canary's. */
  readonly witnessed: Float64Array;
}

export interface Traffic {
  readonly begin: (share: number, sinceStart: number) => SimulatedStage;
  /** Simulates the interval that ends then. Returns the stages whose evidence has changed. */
  readonly advance: (sinceStart: number) => ReadonlySet<StageEvidence>;
}

/** Begins the traffic of one rollout: clients are assigned to versions anew. */
export type TrafficSource = (random: Random) => Traffic;

export interface TrafficSettings {
  readonly settling: Settling;
  /** The ratio of latencies that is tolerated, minus one. */
  readonly tolerated: number;
}

/** Seconds of stable's past, from which thresholds of latency are known. */
const pastSeconds = 600;
/** Seconds in which an isolate of a new split is likely still cold. */
const coldSeconds = 60;
const usualRoute = "usual";

/** @param harm grows with each interval of each rollout */
export const trafficOf = (world: World, seed: number, settings: TrafficSettings, harm: Harm): TrafficSource => {
  const parts = preparedParts(world, seededRandom(seed));
  return (random) => {
    const positions = new Map(
      [...new Set(parts.map(({ clients }) => clients))].map((it) => [it, assignPositions(it, random)]),
    );
    const conditionsAt = conditionsOverTime(random);
    const running = runningParts(parts, conditionsAt, binsOf(1 + settings.tolerated));
    const counting = countingOf();
    let stage: SimulatedStage | undefined;
    return {
      begin: (share, since) => {
        stage = { share, since, evidence: new StageEvidence(settings.settling), witnessed: new Float64Array(2) };
        return stage;
      },
      advance: (now) => {
        const began = now - intervalSeconds;
        const conditions = conditionsAt(began);
        if (!stage) return new Set();
        const { share, since, evidence, witnessed } = stage;
        counting.begin({ evidence, at: (began - since) * 1000 }, began);
        const sinks: Sinks = { count: counting.count, harm, witnessed };
        for (const part of running)
          if (isActive(part.of, share, began - since, began))
            drawRequests(drawnOf(part, positions, share, began - since, conditions), random, sinks);
        return counting.report(now);
      },
    };
  };
};

interface PreparedPart {
  readonly of: Part;
  readonly clients: Clients;
  /** Activity by distance. */
  readonly distance: Float64Array;
  readonly models: readonly [stable: VersionModel, canary: VersionModel];
}

/** What is the same in all rollouts of a world. */
const preparedParts = ({ parts, clients }: World, random: Random): PreparedPart[] => {
  const populations = new Map<Population, Clients>();
  return parts.map((of) => {
    const population = of.of ?? clients;
    const drawn = populations.get(population) ?? clientsOf(population, random);
    populations.set(population, drawn);
    const stable: Behaviour = { ...usual, ...of.both };
    return {
      ...{ of, clients: drawn, distance: distanceOf(drawn) },
      models: [modelOf(stable), modelOf({ ...stable, ...of.canary })],
    };
  });
};

const distanceOf = ({ activity, distance }: Clients): Float64Array => {
  const weights = new Float64Array(distances);
  for (const [client, it] of activity.entries()) {
    const at = distance[client] ?? 0;
    weights[at] = (weights[at] ?? 0) + it;
  }
  return weights;
};

interface RunningPart extends PreparedPart {
  /** Of each version, by the bins that latencies are moved by. */
  readonly exceeding: readonly [stable: Exceeding, canary: Exceeding];
}

type Exceeding = (slow: number) => Float64Array | undefined;

/** Thresholds are known from the ten minutes before the rollout. */
const runningParts = (
  parts: readonly PreparedPart[],
  conditionsAt: (seconds: number) => Conditions,
  stretch: number,
): RunningPart[] => {
  const past = new Map<string, PastLatency>();
  for (let seconds = -pastSeconds; seconds < 0; seconds += intervalSeconds) {
    const conditions = conditionsAt(seconds);
    for (const part of parts) if (isActive(part.of, 0, seconds, seconds)) addPartPast(past, part, conditions);
  }
  return parts.map((part) => {
    const known = thresholdsOf(past.get(part.of.route ?? usualRoute) ?? noPast());
    const [stable, canary] = part.models;
    return {
      ...part,
      exceeding: [exceeding(stable, known), exceeding(canary, known && raised(known, stretch))],
    };
  });
};

/** A route that stable refuses has no latency. */
const addPartPast = (
  past: Map<string, PastLatency>,
  { of: { rate, route = usualRoute }, models: [stable], distance }: PreparedPart,
  { busy, failing, slow }: Conditions,
): void => {
  const to = past.get(route) ?? noPast();
  past.set(route, to);
  const failed = Math.min(1, stable.errors + stable.hangs + stable.faults + failing);
  const requests = rate * busy * (1 - Math.min(1, stable.refusals + stable.clientErrors));
  if (stable.refusals > maxRefused) return;
  addPast(
    to,
    stable.shape,
    distance.map((it) => it * requests * (1 - failed)),
    slow,
  );
};

const maxRefused = 0.5;

const exceeding = ({ shape }: VersionModel, thresholds: readonly number[] | undefined): Exceeding => {
  const bySlow = new Map<number, Float64Array>();
  return (slow) => {
    if (!thresholds) return undefined;
    const it = bySlow.get(slow) ?? exceedingOf(shape, thresholds, slow);
    bySlow.set(slow, it);
    return it;
  };
};

const drawnOf = (
  { of, clients, models: [stable, canary], exceeding: [stableExceeds, canaryExceeds] }: RunningPart,
  positions: ReadonlyMap<Clients, Float64Array>,
  share: number,
  sinceSplit: number,
  { busy, failing, slow }: Conditions,
) => {
  const period = (model: VersionModel, exceeds: Exceeding, cold: number): VersionPeriod => {
    const known = exceeds(slow);
    return { model, unmeasured: known ? cold : 1, exceeding: known ?? nothing };
  };
  return {
    ...{ clients, share, failing },
    positions: positions.get(clients) ?? nothing,
    mean: of.rate * intervalSeconds * busy,
    versions: [
      period(stable, stableExceeds, 0),
      period(canary, canaryExceeds, Math.exp(-sinceSplit / coldSeconds)),
    ] as const,
  };
};

const nothing = new Float64Array(distances * thresholdsPerRoute);
