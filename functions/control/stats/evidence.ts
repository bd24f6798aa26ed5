/**
 * The evidence that a version does more of something, or less: one bet for each stage, window, level of hits, and set of voters.
 *
 * The bets are e-processes (`wealth.ts`) on the clusters that `crossings.ts` counts. Each has a part of the error budget that is
 * fixed beforehand, so by the union bound the probability that any of them ever wins without a difference is at most the whole
 * budget. Two clusters of the canary never count, so two that collude have no influence on any bet.
 */
import { levels } from "./crossings.ts";
import { trimmed } from "./difference.ts";
import type { Measure } from "./measures.ts";
import type { StageSummary, WindowCrossings } from "./stage-summary.ts";
import { logWealth } from "./wealth.ts";

/** `trusted`: authenticated clusters, and requests that were dealt one by one. `all` includes anonymous clusters. */
export type Voters = "trusted" | "all";
export const voterSets = ["trusted", "all"] as const satisfies readonly Voters[];

/** A stage as the bets see it. */
export interface BetStage {
  /** The canary's share of the users, in (0, 1). */
  readonly share: number;
  /** One for each store of telemetry. */
  readonly units: readonly StageSummary[];
}

export interface Bet {
  readonly measure: Measure;
  /** Index of the stage. */
  readonly stage: number;
  readonly voters: Voters;
  readonly crossings: WindowCrossings;
  /** Natural logarithms: of the wealth, and of what it must reach. */
  readonly wealth: number;
  readonly needed: number;
  /** Upper bound of the excess over stable's rate, as a share of requests. */
  readonly excess: number;
}

/** The part of stage k, counted from zero: 6/(π(k+1))², whose sum is 1. */
const stageCost = (index: number): number => -Math.log(6 / (Math.PI * (index + 1)) ** 2);

/** @param budget probability of a false alarm for this measure */
export const betsOf = (
  stages: readonly BetStage[],
  measure: Measure,
  against: "more" | "fewer",
  budget: number,
): Bet[] =>
  stages.flatMap(({ share, units }, stage) =>
    units.flatMap(({ crossings }) =>
      crossings
        .filter((it) => it.measure === measure)
        .flatMap((it) =>
          voterSets.map((voters): Bet => {
            const { canary, all } = votesOf(it, voters);
            const hits = against === "more" ? Math.max(0, canary - trimmed) : Math.min(all, canary + trimmed);
            return {
              ...{ measure, stage, voters, crossings: it },
              wealth: all > 0 ? logWealth(against, [{ hits, of: all, chance: share }]) : 0,
              needed: neededWealth(budget, stage, it.window.cost, units.length),
              excess: it.level === 0 ? oddsExcess(canary, all, share, it.hits.stable) : rateExcess(it.hits),
            };
          }),
        ),
    ),
  );

/** Logarithm of the wealth that a bet must reach: its part of the budget. @param units stores of telemetry */
export const neededWealth = (budget: number, stage: number, windowCost: number, units: number): number =>
  -Math.log(budget) + stageCost(stage) + windowCost + Math.log(units * levels.length * voterSets.length);

export const votesOf = ({ trusted, anonymous }: WindowCrossings, voters: Voters) => ({
  canary: trusted.canary + (voters === "all" ? anonymous.canary : 0),
  all: trusted.all + (voters === "all" ? anonymous.all : 0),
});

/** Whether a bet of these voters is won, with an excess that is not known to be below the tolerance. */
export const isWon = (bets: readonly Bet[], voters: Voters, tolerance: number): boolean =>
  bets.some((it) => it.voters === voters && it.wealth >= it.needed && it.excess >= tolerance);

/** Two standard errors. */
const margin = 2;

/**
 * The odds of the canary among the clusters that were hit at all, over those of its share, are how much oftener it hits them. That
 * times stable's rate is the excess, and few clients change it.
 */
export const oddsExcess = (
  canary: number,
  all: number,
  share: number,
  stable: WindowCrossings["hits"]["stable"],
): number => {
  if (all === 0) return 0;
  const part = canary / all;
  const high = Math.min(1 - 0.5 / (all + 1), part + margin * Math.sqrt((part * (1 - part)) / all));
  const times = (high * (1 - share)) / ((1 - high) * share);
  return Math.min(1, ((times - 1) * (stable.hits + 1)) / (stable.of + 1));
};

/** Those odds say nothing of higher levels: if all clients send alike, the canary's may all reach one before any other does. */
export const rateExcess = ({ stable, canary }: WindowCrossings["hits"]): number => {
  const [one, other] = [(stable.hits + 1) / (stable.of + 1), (canary.hits + 1) / (canary.of + 1)];
  const variance = (one * (1 - one)) / (stable.of + 1) + (other * (1 - other)) / (canary.of + 1);
  return other - one + margin * Math.sqrt(Math.max(0, variance));
};

/** Log wealth of single requests: for what needs no quorum of clusters. */
export const requestBet = (
  { share, units }: BetStage,
  stage: number,
  budget: number,
  read: (it: StageSummary) => { readonly canary: number; readonly stable: number },
): { readonly wealth: number; readonly needed: number } => {
  const all = units.map(read);
  const canary = all.reduce((sum, it) => sum + it.canary, 0);
  const of = all.reduce((sum, it) => sum + it.stable, canary);
  return {
    wealth: of > 0 ? logWealth("more", [{ hits: canary, of, chance: share }]) : 0,
    needed: -Math.log(budget) + stageCost(stage),
  };
};
