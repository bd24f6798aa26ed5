/**
 * What is proved of the bets, checked without sampling: every assignment of a few users to versions, weighted by its probability.
 * The version changes nothing here, so hits are fixed beforehand, and only the assignment is random.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CrossingCounter, levels } from "../../../../functions/control/stats/crossings.ts";
import { betsOf, voterSets } from "../../../../functions/control/stats/evidence.ts";
import { indexOf, measures } from "../../../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../../../functions/control/stats/stage-evidence.ts";
import { logWealth } from "../../../../functions/control/stats/wealth.ts";
import { wholeStage, windowStepMs, windowsFrom } from "../../../../functions/control/stats/windows.ts";
import { firstOf } from "../../../../functions/gateway/observability/clusters.ts";

interface Hit {
  readonly interval: number;
  readonly user: number;
  readonly count: number;
}

interface Case {
  readonly share: number;
  /** Of each user; several may have the same. What is dealt is a user with one request. */
  readonly clusters: readonly number[];
  readonly hits: readonly Hit[];
}

const against = ["more", "fewer"] as const;
const seed = 20_261_130;

const anyCase = (users: number, shares: readonly number[]): fc.Arbitrary<Case> =>
  fc
    .record({
      share: fc.constantFrom(...shares),
      clusters: fc.array(
        fc.oneof(
          fc.nat(3),
          fc.nat(3).map((it) => firstOf.authenticated + it),
          fc.nat(1).map((it) => firstOf.dealt + it),
        ),
        { minLength: 2, maxLength: users },
      ),
      hits: fc.array(
        fc.record({
          interval: fc.nat(4),
          user: fc.nat(users - 1),
          count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), fc.constant(80)),
        }),
        { minLength: 1, maxLength: 16 },
      ),
    })
    .map(({ share, clusters, hits }) => {
      const dealt = new Set<number>();
      return {
        share,
        clusters,
        hits: hits.flatMap(({ interval, user, count }) => {
          const cluster = clusters[user];
          if (cluster === undefined) return [];
          if (cluster < firstOf.dealt) return [{ interval, user, count }];
          // One hit, once.
          if (dealt.has(user)) return [];
          dealt.add(user);
          return [{ interval, user, count: 1 }];
        }),
      };
    });

interface Assignment {
  readonly isCanary: (user: number) => boolean;
  readonly probability: number;
}

const assignmentsOf = (users: number, share: number): Assignment[] =>
  Array.from({ length: 2 ** users }, (_, bits) => {
    const canaries = bits.toString(2).replaceAll("0", "").length;
    return {
      isCanary: (user) => ((bits >> user) & 1) === 1,
      probability: share ** canaries * (1 - share) ** (users - canaries),
    };
  });

interface Votes {
  readonly canary: number;
  readonly all: number;
}

/** After each interval: votes by level and voters. */
const walk = (counter: CrossingCounter, { clusters, hits }: Case, { isCanary }: Assignment): Votes[][] => {
  counter.clear();
  return [0, 1, 2, 3, 4].map((interval) => {
    const sums = new Map<number, { canary: number; all: number }>();
    for (const { user, count } of hits.filter((it) => it.interval === interval)) {
      const cluster = clusters[user] ?? 0;
      const sum = sums.get(cluster) ?? { canary: 0, all: 0 };
      sums.set(cluster, { canary: sum.canary + (isCanary(user) ? count : 0), all: sum.all + count });
    }
    for (const [cluster, { canary, all }] of sums) counter.add(cluster, canary, all);
    return counter.crossings.flatMap(({ trusted, anonymous }) => [
      { ...trusted },
      { canary: trusted.canary + anonymous.canary, all: trusted.all + anonymous.all },
    ]);
  });
};

/** The largest of c times the probability to reach c. By Ville's inequality it is one at most. */
const worstAlarm = (outcomes: readonly { readonly value: number; readonly probability: number }[]): number => {
  let reached = 0;
  let worst = 0;
  for (const { value, probability } of outcomes.toSorted((a, b) => b.value - a.value)) {
    reached += probability;
    worst = Math.max(worst, value * reached);
  }
  return worst;
};

const checkBets = (each: Case): void => {
  const counter = new CrossingCounter();
  const walks = assignmentsOf(each.clusters.length, each.share).map((assignment) => ({
    probability: assignment.probability,
    votes: walk(counter, each, assignment),
  }));
  const bets = levels.length * voterSets.length;
  for (let bet = 0; bet < bets; bet++) {
    const most = new Map(against.map((side) => [side, walks.map(() => 0)]));
    for (let interval = 0; interval < 5; interval++) {
      const all = walks[0]?.votes[interval]?.[bet]?.all ?? 0;
      let part = 0;
      const wealth = { more: 0, fewer: 0 };
      for (const [index, { votes, probability }] of walks.entries()) {
        const vote = votes[interval]?.[bet] as Votes;
        // Which clusters count, and when, does not depend on the assignment.
        expect(vote.all).toBe(all);
        part += probability * vote.canary;
        for (const side of against) {
          const won = Math.exp(logWealth(side, [{ hits: vote.canary, of: all, chance: each.share }]));
          wealth[side] += probability * won;
          const trail = most.get(side) as number[];
          trail[index] = Math.max(trail[index] ?? 0, won);
        }
      }
      expect(part).toBeCloseTo(each.share * all, 9);
      for (const side of against) expect(wealth[side]).toBeLessThanOrEqual(1 + 1e-9);
    }
    for (const trail of most.values()) {
      const outcomes = walks.map(({ probability }, index) => ({ probability, value: trail[index] ?? 0 }));
      expect(worstAlarm(outcomes)).toBeLessThanOrEqual(1 + 1e-9);
    }
  }
};

describe("if the version changes nothing", () => {
  it("a cluster that is counted is the canary's with the probability of its share, and no bet is expected to win", () => {
    fc.assert(fc.property(anyCase(6, [0.005, 0.1, 0.5, 0.9]), checkBets), { seed, numRuns: 60 });
  });

  it("the same holds of ten users", () => {
    fc.assert(fc.property(anyCase(10, [0.01, 0.3]), checkBets), { seed, numRuns: 3 });
  });

  // A user with two hits in two clusters, as a browser whose first request was dealt would be, is two votes for one assignment.
  it("a user is in one cluster, since two votes of one user are no two votes", () => {
    const share = 0.1;
    const twice = [0, 2].map((hits) => Math.exp(logWealth("more", [{ hits, of: 2, chance: share }])));
    expect((1 - share) * (twice[0] ?? 0) + share * (twice[1] ?? 0)).toBeGreaterThan(1.5);
  });
});

/** The largest wealth over what it needs, with a budget of one: over all measures' bets, and all closings. */
const largestOf = ({ share, clusters, hits }: Case, { isCanary }: Assignment, side: "more" | "fewer"): number => {
  const evidence = new StageEvidence({ requests: 0, latency: 0 });
  let largest = 0;
  // Within the first window, at its border, and in later ones.
  for (const [interval, at] of [2_000, 60_000, 62_000, 150_000, 700_000].entries()) {
    for (const { user, count } of hits.filter((it) => it.interval === interval)) {
      const counts = measures.map((_, index) => (index === indexOf.errors || index === indexOf.requests ? count : 0));
      evidence.add(isCanary(user) ? "canary" : "stable", at - 1_000, clusters[user] ?? 0, counts);
    }
    evidence.close(at);
    const stage = { share, units: [evidence.summary(false)] };
    for (const { wealth, needed } of betsOf([stage], "errors", side, 1))
      largest = Math.max(largest, Math.exp(wealth - needed));
  }
  return largest;
};

describe("all windows, levels and voters together", () => {
  it("have weights whose sum is one, however long a stage lasts", () => {
    const starts = Array.from({ length: 30_000 }, (_, minute) => minute * windowStepMs);
    const weights = [wholeStage, ...starts.flatMap(windowsFrom)].map(({ cost }) => Math.exp(-cost));
    const sum = weights.reduce((all, it) => all + it);
    expect(sum).toBeLessThan(1);
    expect(sum).toBeGreaterThan(0.999);
  });

  it.each(against)("of a bet on %s ever win with the probability of the budget at most", (side) => {
    fc.assert(
      fc.property(anyCase(5, [0.001, 0.05, 0.5, 0.95]), (each) => {
        const outcomes = assignmentsOf(each.clusters.length, each.share).map((assignment) => ({
          probability: assignment.probability,
          value: largestOf(each, assignment, side),
        }));
        expect(worstAlarm(outcomes)).toBeLessThanOrEqual(1);
      }),
      { seed, numRuns: 8 },
    );
  });

  it("win if the canary is rare and five users of it fail", () => {
    const clusters = [0, 1, 2, 3, 4].map((it) => firstOf.authenticated + it);
    const hits = clusters.map((_, user) => ({ interval: user, user, count: 1 }));
    const all = { isCanary: () => true, probability: 1 };
    expect(largestOf({ share: 0.001, clusters, hits }, all, "more")).toBeGreaterThan(1000);
  });
});
