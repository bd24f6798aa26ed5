/** What both versions report of a stretch of time, drawn by groups of users rather than request by request. */
import { type Group, groups, type Sample } from "../../functions/gateway/observability/samples.ts";
import type { Chance } from "./random.ts";
import { type Draw, drawn, drawOf, type Shape } from "./latency.ts";
import type { Behaviour } from "./scenarios.ts";
import type { Crowd } from "./users.ts";

/** Seconds from one look to the next. */
export const look = 10;
/** After an error a client tries again with this probability, and as often fails again. */
const again = 0.5;
/** Errors that one error leads to, itself included. */
const chain = 1 / (1 - again * again);
/** Seconds until a client gives up. */
const patience = 30;
/** Seconds in which an isolate of a new split is likely still cold. */
const cold = 60;

type Counted = { -readonly [key in Exclude<keyof Group, "latency">]: number };
interface Filling extends Counted {
  readonly latency: [number, number][];
  /** The same pairs, by their bin. */
  readonly byBin: [number, number][];
}

interface Side {
  readonly behaviour: Behaviour;
  readonly crowds: readonly Crowd[];
  readonly draws: readonly Draw[];
  readonly groups: readonly Filling[];
  readonly sample: Sample;
}

/** What befalls both versions at once. */
export interface Weather {
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
  /** Adds what happens from one look to the next, so many seconds after the split was made. */
  readonly pass: (seconds: number, weather: Weather) => void;
}

/** A version's behaviour, and its latency. */
export interface Kind {
  readonly behaviour: Behaviour;
  readonly shape: Shape;
}

export interface Kinds {
  readonly stable: Kind;
  readonly canary: Kind;
}

/** @param rate requests a second */
export const splitOf = (
  crowds: { readonly stable: readonly Crowd[]; readonly canary: readonly Crowd[] },
  rate: number,
  kinds: Kinds,
  chance: Chance,
): Split => {
  const stable = sideOf(kinds.stable, crowds.stable);
  const canary = sideOf(kinds.canary, crowds.canary);
  return {
    stable: stable.sample,
    canary: canary.sample,
    pass: (seconds, weather) => {
      // Stable's isolates have been warm for long.
      fill(stable, rate, 0, patience, weather, chance);
      fill(canary, rate, Math.exp(-seconds / cold), seconds, weather, chance);
    },
  };
};

const sideOf = ({ behaviour, shape }: Kind, crowds: readonly Crowd[]): Side => {
  const filled = crowds.map(
    (): Filling => ({
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
    crowds,
    draws: crowds.map(({ distance }) => drawOf(shape, distance)),
    groups: filled,
    sample: { groups: Object.fromEntries(filled.map((it, group) => [group, it])), cold: 0 },
  };
};

const fill = (
  { behaviour, crowds, draws, groups: filled }: Side,
  rate: number,
  coldShare: number,
  seconds: number,
  { busy, failing, slow }: Weather,
  { poisson, uniform, happens }: Chance,
): void => {
  for (let group = 0; group < groups; group++) {
    const [crowd, draw, it] = [crowds[group], draws[group], filled[group]];
    if (!crowd || !draw || !it) continue;
    const all = rate * look * busy * behaviour.reports;
    const requests = all * crowd.activity;
    const first = poisson((all * behaviour.errors * crowd.failing) / chain + requests * failing);
    const errors = first + retries(first, happens);
    const refusals = poisson(all * behaviour.refusals * crowd.refused);
    const abandoned = seconds >= patience ? poisson(requests * behaviour.hangs) : 0;
    const passed = poisson(requests * Math.max(0, 1 - behaviour.errors - behaviour.refusals - behaviour.hangs));
    it.requests += errors + refusals + abandoned + passed;
    it.errors += errors;
    it.refusals += refusals;
    it.abandoned += abandoned;
    // Half of what fails, fails at the upstream.
    for (let index = 0; index < errors; index++) if (happens(0.5)) it.upstreamErrors++;
    for (let index = coldShare > 0 ? poisson(passed * coldShare) : 0; index < passed; index++)
      add(it, drawn(draw, uniform()) + slow);
  }
};

/** Errors that follow from errors, as clients try again. */
const retries = (first: number, happens: Chance["happens"]): number => {
  let more = 0;
  for (let index = 0; index < first; index++) while (happens(again * again)) more++;
  return more;
};

const add = (it: Filling, bin: number): void => {
  const pair = it.byBin[bin];
  if (pair) {
    pair[1]++;
    return;
  }
  const made: [number, number] = [bin, 1];
  it.byBin[bin] = made;
  it.latency.push(made);
  it.latency.sort(([a], [b]) => a - b);
};
