/** Findings of the criteria that are shares of requests: errors, faults, refusals, client errors, abandoned requests. */

import type { Finding } from "../model/finding.ts";
import { boundsOf, combinedRate, totalOf } from "../stats/combined.ts";
import { betsOf, isWon, requestBet } from "../stats/evidence.ts";
import { indexOf, type Rate, type Side } from "../stats/measures.ts";
import { hasUnknownUsers } from "../telemetry/counts/causes.ts";
import { causesIn } from "./causes.ts";
import { betStages, hasEnoughUnits, type RateCount, type VerdictContext, verdictOf } from "./context.ts";
import type { Stage } from "./evidence.ts";
import { rateText } from "./verdict-text.ts";

export const countedRates = [
  { criterion: "errors", count: "errors", tolerate: "errors" },
  { criterion: "refusals", count: "refusals", tolerate: "refusals" },
  { criterion: "client-errors", count: "clientErrors", tolerate: "refusals" },
  { criterion: "abandoned", count: "abandoned", tolerate: "abandoned" },
] as const satisfies readonly {
  criterion: Finding["criterion"];
  count: RateCount;
  tolerate: "errors" | "refusals" | "abandoned";
}[];

export const rateFinding = (
  { criterion, count, tolerate: tolerated }: (typeof countedRates)[number],
  { stages, newest, criteria, budget, forecast }: VerdictContext,
): Finding => {
  const tolerate = criteria.tolerate[tolerated];
  const units = newest?.units ?? [];
  const bets = betsOf(betStages(stages), count, "more", budget);
  const current = bets.filter(({ stage }) => stage === stages.length - 1);
  // Clients cause the others themselves: who knows which version a key has sends such requests to that one.
  const voters = count === "errors" ? "all" : "trusted";
  const rate = combinedRate(units, count);
  const { low, high } = rate ? boundsOf(rate) : { low: -1, high: 1 };
  const counts = { stable: countsOf(newest, "stable", count), canary: countsOf(newest, "canary", count) };
  const { stable, canary } = counts;
  const enough = (times: number) =>
    canary.requests * times >= criteria.minRequests && hasEnoughUnits(newest, (rate?.units ?? 0) * times);
  // Where the mean over clusters does not exclude the tolerance, no client can make the harm look smaller.
  const least = high >= tolerate ? -1 : tolerate;
  const verdict = verdictOf({
    harm: isWon(bets, "trusted", least) || isWon(bets, voters, least),
    suspicion: isWon(current, "all", least),
    passes: enough(1) && high < tolerate,
  });
  const needs = forecast(
    verdict,
    canary.requests,
    (times) => enough(times) && rate !== undefined && boundsOf(rate, times).high < tolerate,
  );
  const causes = causesIn(newest ? [newest] : [], count, counts);
  const clients = clientsIn(newest, count, rate?.clients ?? 0);
  const clusters = rate?.top ?? [];
  return {
    criterion,
    verdict,
    ...sharesOf(counts),
    low,
    high,
    tolerate,
    counts,
    ...(canary.hits > 0 && { causes, clients, clusters }),
    ...(needs !== undefined && { needs }),
    why: rateText({
      ...{ verdict, count, canary, stable, low, high, tolerate, causes, clients, clusters, needs },
      units: rate?.units ?? 0,
    }),
  };
};

/** Hits and requests of one version in a stage. */
export const countsOf = (stage: Stage | undefined, side: Side, count: Rate) => ({
  hits: totalOf(stage?.units ?? [], side, count),
  requests: totalOf(stage?.units ?? [], side, "requests"),
});

/** Null without requests. */
export const sharesOf = ({
  stable,
  canary,
}: Record<Side, ReturnType<typeof countsOf>>): Record<Side, number | null> => ({
  stable: stable.requests > 0 ? stable.hits / stable.requests : null,
  canary: canary.requests > 0 ? canary.hits / canary.requests : null,
});

/** Of failures that only the tail saw nobody knows the clients. */
const clientsIn = (stage: Stage | undefined, count: RateCount, clients: number): number | null =>
  stage?.canary.causes?.some((it) => it.kind === count && hasUnknownUsers(it)) ? null : clients;

/** Requests that died, or that the gate itself failed. No client is needed to prove a defect of the gate: each request counts. */
export const faultsFinding = ({ stages, newest, budget }: VerdictContext): Finding => {
  const count = (it: { readonly totals: readonly number[] }) => it.totals[indexOf.faults] ?? 0;
  const harm = betStages(stages).some((stage, index) => {
    const { wealth, needed } = requestBet(stage, index, budget, ({ stable, canary }) => ({
      stable: count(stable),
      canary: count(canary),
    }));
    return wealth >= needed;
  });
  const counts = { stable: countsOf(newest, "stable", "faults"), canary: countsOf(newest, "canary", "faults") };
  const { stable, canary } = counts;
  // Faults are errors too, which exclude what is tolerated.
  const verdict = harm ? "fail" : canary.requests > 0 ? "pass" : "not-enough";
  return {
    criterion: "faults",
    verdict,
    ...sharesOf(counts),
    ...{ low: null, high: null, tolerate: null },
    counts,
    why: rateText({
      ...{ verdict, count: "faults", canary, stable, causes: [], clusters: [] },
      ...{ clients: null, needs: undefined, low: 0, high: 0, tolerate: null, units: 0 },
    }),
  };
};
