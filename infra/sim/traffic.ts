/** Simulates the traffic of both versions by groups of users, not request by request. */
import { type Group, groups, type Sample } from "../../functions/gateway/observability/samples.ts";
import { type AliasTable, aliasTableOf, type LatencyShape, sampleBin } from "./latency.ts";
import type { Random } from "./random.ts";
import type { Behaviour } from "./scenarios.ts";
import type { GroupShare } from "./users.ts";

/** Simulated seconds between evaluations. */
export const intervalSeconds = 10;
/** The probability that a client retries after an error, and that the retry fails again. */
const retryProbability = 0.5;
/** Errors caused by one error, itself included. */
const errorsPerFailure = 1 / (1 - retryProbability * retryProbability);
/** Seconds until a client gives up. */
const clientTimeoutSeconds = 30;
/** Seconds in which an isolate of a new split is likely still cold. */
const cold = 60;

type MutableCounts = { -readonly [key in Exclude<keyof Group, "latency">]: number };
interface MutableGroup extends MutableCounts {
  readonly latency: [number, number][];
  /** The same pairs, by their bin. */
  readonly byBin: [number, number][];
}

interface SimulatedVersion {
  readonly behaviour: Behaviour;
  readonly groupShares: readonly GroupShare[];
  readonly latencies: readonly AliasTable[];
  readonly groups: readonly MutableGroup[];
  readonly sample: Sample;
}

/** Conditions that affect both versions. */
export interface TrafficConditions {
  /** Times the mean rate. */
  readonly busy: number;
  /** Errors of all requests, on top. */
  readonly failing: number;
  /** Bins that all latencies are moved by. */
  readonly slow: number;
}

export interface Split {
  readonly stable: Sample;
  readonly canary: Sample;
  /** Adds the traffic of one interval, so many seconds after the split. */
  readonly advance: (seconds: number, conditions: TrafficConditions) => void;
}

/** A version's behaviour, and its latency. */
export interface VersionModel {
  readonly behaviour: Behaviour;
  readonly shape: LatencyShape;
}

export interface VersionModels {
  readonly stable: VersionModel;
  readonly canary: VersionModel;
}

/** @param rate requests a second */
export const splitOf = (
  groupShares: { readonly stable: readonly GroupShare[]; readonly canary: readonly GroupShare[] },
  rate: number,
  kinds: VersionModels,
  random: Random,
): Split => {
  const stable = simulatedVersion(kinds.stable, groupShares.stable);
  const canary = simulatedVersion(kinds.canary, groupShares.canary);
  return {
    stable: stable.sample,
    canary: canary.sample,
    advance: (seconds, conditions) => {
      // Stable's isolates are warm.
      addTraffic(stable, rate, 0, clientTimeoutSeconds, conditions, random);
      addTraffic(canary, rate, Math.exp(-seconds / cold), seconds, conditions, random);
    },
  };
};

const simulatedVersion = ({ behaviour, shape }: VersionModel, groupShares: readonly GroupShare[]): SimulatedVersion => {
  const mutableGroups = groupShares.map(
    (): MutableGroup => ({
      requests: 0,
      errors: 0,
      refusals: 0,
      upstreamErrors: 0,
      abandoned: 0,
      latency: [],
      byBin: [],
    }),
  );
  return {
    behaviour,
    groupShares,
    latencies: groupShares.map(({ distance }) => aliasTableOf(shape, distance)),
    groups: mutableGroups,
    sample: { groups: Object.fromEntries(mutableGroups.map((it, group) => [group, it])), cold: 0 },
  };
};

const addTraffic = (
  { behaviour, groupShares, latencies, groups: filled }: SimulatedVersion,
  rate: number,
  coldShare: number,
  seconds: number,
  { busy, failing, slow }: TrafficConditions,
  { poisson, uniform, happens }: Random,
): void => {
  for (let group = 0; group < groups; group++) {
    const [groupShare, latencyTable, it] = [groupShares[group], latencies[group], filled[group]];
    if (!groupShare || !latencyTable || !it) continue;
    const all = rate * intervalSeconds * busy * behaviour.reports;
    const requests = all * groupShare.activity;
    const first = poisson((all * behaviour.errors * groupShare.failing) / errorsPerFailure + requests * failing);
    const errors = first + retries(first, happens);
    const refusals = poisson(all * behaviour.refusals * groupShare.refused);
    const abandoned = seconds >= clientTimeoutSeconds ? poisson(requests * behaviour.hangs) : 0;
    const passed = poisson(requests * Math.max(0, 1 - behaviour.errors - behaviour.refusals - behaviour.hangs));
    it.requests += errors + refusals + abandoned + passed;
    it.errors += errors;
    it.refusals += refusals;
    it.abandoned += abandoned;
    // Half of the errors are the upstream's.
    for (let index = 0; index < errors; index++) if (happens(0.5)) it.upstreamErrors++;
    for (let index = coldShare > 0 ? poisson(passed * coldShare) : 0; index < passed; index++)
      addLatency(it, sampleBin(latencyTable, uniform()) + slow);
  }
};

/** Errors that follow from errors, as clients try again. */
const retries = (first: number, happens: Random["happens"]): number => {
  let more = 0;
  for (let index = 0; index < first; index++) while (happens(retryProbability * retryProbability)) more++;
  return more;
};

const addLatency = (it: MutableGroup, bin: number): void => {
  const pair = it.byBin[bin];
  if (pair) {
    pair[1]++;
    return;
  }
  const added: [number, number] = [bin, 1];
  it.byBin[bin] = added;
  it.latency.push(added);
  it.latency.sort(([a], [b]) => a - b);
};
