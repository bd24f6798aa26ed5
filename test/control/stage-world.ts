/** Simulated stages, request by request, judged by the verdict itself: what estimates of power are compared with. */
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import type { Finding } from "../../functions/control/model/finding.ts";
import type { TrafficEstimate } from "../../functions/control/planning/traffic.ts";
import { indexOf, measures } from "../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../functions/control/stats/stage-evidence.ts";
import { judge } from "../../functions/control/verdict/verdict.ts";
import { clustersPerKind } from "../../functions/gateway/observability/clusters.ts";
import { seededRandom } from "../../infra/sim/traffic/random.ts";

const lookMs = 60_000;
export const criteria = criteriaOf({ tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" } });

export interface StageWorld {
  readonly traffic: TrafficEstimate;
  readonly share: number;
  readonly ms: number;
  readonly bakeMs: number;
  /** Increase of the canary's error and refusal rates, and of its requests beyond stable's 99th percentile. */
  readonly harm: { readonly errors?: number; readonly refusals?: number; readonly slow?: number };
}

/** The verdict that ended the stage, and when; undefined if none did. A hold ends nothing: control goes on judging. */
export type StageEnd = { readonly verdict: Finding["verdict"]; readonly ms: number } | undefined;

/** Activity of users by a Pareto distribution, and rates that differ between them. */
export const simulateStage = (world: StageWorld, seed: number): StageEnd => {
  const { share, bakeMs, ms, traffic } = world;
  const random = seededRandom(seed);
  const users = usersOf(traffic, random);
  const isCanary = users.map(() => random.happens(share));
  const evidence = new StageEvidence({ requests: 30_000, latency: 120_000 });
  for (let at = lookMs; at <= ms; at += lookMs) {
    for (let count = random.poisson((traffic.requestsPerSecond * lookMs) / 1000); count > 0; count--) {
      const index = pick(users, random.uniform());
      const user = users[index] as User;
      const isDealt = random.happens(traffic.clients?.dealt ?? 0);
      const canary = isDealt ? random.happens(share) : isCanary[index] === true;
      const cluster = isDealt ? 2 * clustersPerKind + (user.cluster % clustersPerKind) : user.cluster;
      evidence.add(canary ? "canary" : "stable", at - lookMs / 2, cluster, countsOf(world, user, canary, random));
    }
    evidence.close(at);
    const side = { groups: {}, cold: 0 };
    const stage = { share, since: 0, until: at, units: [evidence.summary(at >= bakeMs)], stable: side, canary: side };
    const { verdict } = judge([stage], criteria);
    if (verdict === "fail" || (verdict === "pass" && at >= bakeMs)) return { verdict, ms: at };
  }
  return undefined;
};

interface User {
  readonly cluster: number;
  /** Of all requests, up to this user. */
  readonly upTo: number;
  readonly errors: number;
  readonly refusals: number;
}

type Random = ReturnType<typeof seededRandom>;

const usersOf = ({ clients, rates }: TrafficEstimate, { uniform, happens }: Random): User[] => {
  const count = clients?.clusters ?? 1;
  const activity = Array.from({ length: count }, () => Math.min(100, (1 - uniform()) ** (-1 / 1.3)));
  const all = activity.reduce((sum, it) => sum + it, 0);
  let upTo = 0;
  return activity.map((it) => {
    upTo += it / all;
    const isAuthenticated = happens(clients?.authenticated ?? 0);
    return {
      cluster: Math.floor(uniform() * clustersPerKind) + (isAuthenticated ? clustersPerKind : 0),
      upTo,
      errors: rates.errors * (happens(0.1) ? 5 : 5 / 9),
      refusals: rates.refusals * (happens(0.2) ? 2.5 : 2.5 / 4),
    };
  });
};

const pick = (users: readonly User[], position: number): number => {
  let [low, high] = [0, users.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((users[middle]?.upTo ?? 1) < position) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Of latencies whose 99th percentile, raised by the tolerance, half of one per cent exceed. */
const countsOf = ({ harm }: StageWorld, user: User, canary: boolean, { uniform }: Random): Float64Array => {
  const counts = new Float64Array(measures.length);
  counts[indexOf.requests] = 1;
  const more = (of: keyof StageWorld["harm"]) => (canary ? (harm[of] ?? 0) : 0);
  const errors = user.errors + more("errors");
  const outcome = uniform();
  const failed = outcome < errors;
  if (failed) counts[indexOf.errors] = 1;
  else if (outcome < errors + user.refusals + more("refusals")) counts[indexOf.refusals] = 1;
  counts[indexOf.measured] = 1;
  const slowness = failed ? 0 : uniform();
  if (slowness < 0.01 + more("slow")) counts[indexOf.slow99] = 1;
  if (slowness < (canary ? 0.4 : 0.5)) counts[indexOf.over50] = 1;
  if (slowness < (canary ? 0.07 : 0.1)) counts[indexOf.over90] = 1;
  if (slowness < (canary ? 0.005 : 0.01) + more("slow")) {
    counts[indexOf.over99] = 1;
    if (!failed) counts[indexOf.late99] = 1;
  }
  return counts;
};
