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

/** What gates report of a version. */
export interface VersionCounts {
  readonly groups: readonly MutableGroup[];
  /** The same, as the verdict takes it. */
  readonly sample: Sample;
}

/** Some users' requests to a version, all with one behaviour. */
export interface VersionTraffic {
  readonly behaviour: Behaviour;
  readonly groupShares: readonly GroupShare[];
  readonly latencies: readonly AliasTable[];
  /** Requests a second of these users, to both versions. */
  readonly rate: number;
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
  /** Adds the traffic of one interval, so many seconds after the split, and after the start of the rollout. */
  readonly advance: (sinceSplit: number, sinceStart: number) => void;
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
  conditionsAt: (sinceStart: number) => TrafficConditions,
  random: Random,
): Split => {
  const [stable, canary] = [emptyCounts(), emptyCounts()];
  const toStable = versionTraffic(kinds.stable, groupShares.stable, rate);
  const toCanary = versionTraffic(kinds.canary, groupShares.canary, rate);
  return {
    stable: stable.sample,
    canary: canary.sample,
    advance: (sinceSplit, sinceStart) => {
      const conditions = conditionsAt(sinceStart);
      addTraffic(stable, toStable, warm, conditions, random);
      addTraffic(canary, toCanary, isolatesAfter(sinceSplit), conditions, random);
    },
  };
};

/** The age of a version's isolates. */
export interface Isolates {
  /** Share of the requests whose latency is not measured: those of cold isolates. */
  readonly unmeasured: number;
  /** Seconds since the split. */
  readonly seconds: number;
}

/** Stable's isolates are warm, and its hanging requests have been abandoned all along. */
export const warm: Isolates = { unmeasured: 0, seconds: clientTimeoutSeconds };

export const isolatesAfter = (seconds: number): Isolates => ({
  unmeasured: Math.exp(-seconds / cold),
  seconds,
});

export const versionTraffic = (
  { behaviour, shape }: VersionModel,
  groupShares: readonly GroupShare[],
  rate: number,
): VersionTraffic => ({
  behaviour,
  groupShares,
  latencies: groupShares.map(({ distance }) => aliasTableOf(shape, distance)),
  rate,
});

export const emptyCounts = (): VersionCounts => {
  const mutableGroups = Array.from(
    { length: groups },
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
    groups: mutableGroups,
    sample: { groups: Object.fromEntries(mutableGroups.map((it, group) => [group, it])), cold: 0 },
  };
};

/** Adds counts to others, or takes them away. */
export const addCounts = (to: VersionCounts, from: VersionCounts, times: 1 | -1): void => {
  for (const [group, it] of to.groups.entries()) {
    const added = from.groups[group];
    if (!added) continue;
    for (const count of ["requests", "errors", "refusals", "upstreamErrors", "abandoned"] as const)
      it[count] += times * added[count];
    for (const [bin, count] of added.latency) addLatency(it, bin, times * count);
  }
};

/** What an interval added. */
export interface Added {
  readonly requests: number;
  /** Errors, refusals and abandoned requests. */
  readonly failed: number;
}

/** Adds the requests of one interval. */
export const addTraffic = (
  { groups: filled }: VersionCounts,
  { behaviour, groupShares, latencies, rate }: VersionTraffic,
  { unmeasured, seconds }: Isolates,
  { busy, failing, slow }: TrafficConditions,
  { poisson, uniform, happens }: Random,
): Added => {
  let [allRequests, allFailed] = [0, 0];
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
    allRequests += errors + refusals + abandoned + passed;
    allFailed += errors + refusals + abandoned;
    it.errors += errors;
    it.refusals += refusals;
    it.abandoned += abandoned;
    // Half of the errors are the upstream's.
    for (let index = 0; index < errors; index++) if (happens(0.5)) it.upstreamErrors++;
    for (let index = unmeasured > 0 ? poisson(passed * unmeasured) : 0; index < passed; index++)
      addLatency(it, sampleBin(latencyTable, uniform()) + slow, 1);
  }
  return { requests: allRequests, failed: allFailed };
};

/** Errors that follow from errors, as clients try again. */
const retries = (first: number, happens: Random["happens"]): number => {
  let more = 0;
  for (let index = 0; index < first; index++) while (happens(retryProbability * retryProbability)) more++;
  return more;
};

const addLatency = (it: MutableGroup, bin: number, count: number): void => {
  const pair = it.byBin[bin];
  if (pair) {
    pair[1] += count;
    return;
  }
  const added: [number, number] = [bin, count];
  it.byBin[bin] = added;
  it.latency.push(added);
  it.latency.sort(([a], [b]) => a - b);
};
