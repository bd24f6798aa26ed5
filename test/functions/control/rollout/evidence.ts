/** Makes the evidence of a stage: requests of many clusters under both versions, spread evenly and without chance. */
import { indexOf, measures, type Side } from "../../../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../../../functions/control/stats/stage-evidence.ts";
import type { StageSummary } from "../../../../functions/control/stats/stage-summary.ts";
import type { ClusterKind } from "../../../../functions/gateway/observability/clusters.ts";
import { firstOf } from "../../../../functions/gateway/observability/clusters.ts";

/** What one version did. */
export interface Counts {
  readonly requests: number;
  readonly errors?: number;
  readonly faults?: number;
  readonly refusals?: number;
  readonly clientErrors?: number;
  readonly abandoned?: number;
  /** Factors of stable's latency: of all requests, of the faster nine tenths, and of the slowest twentieth. */
  readonly slower?: number;
  readonly head?: number;
  readonly tail?: number;
}

export interface Clients {
  /** Of both versions; those of the canary are its share of them. */
  readonly clusters?: number;
  readonly kind?: ClusterKind;
  /** Clusters of the canary that all its hits come from; default: all. */
  readonly hitting?: number;
}

export const tolerated = 1.2;
const settling = { requests: 0, latency: 0 };
const seconds = 300;

export const evidenceOf = (share: number, stable: Counts, canary: Counts, clients: Clients = {}): StageEvidence => {
  const evidence = new StageEvidence(settling);
  const { clusters = 10_000, kind = "authenticated", hitting } = clients;
  const mine = Math.max(1, Math.round(clusters * Math.min(1, share)));
  const others = Math.max(1, clusters - mine);
  const first = firstOf[kind];
  addSide(evidence, "canary", canary, { first, clusters: mine, hitting });
  addSide(evidence, "stable", stable, { first: first + mine, clusters: others, hitting: undefined });
  evidence.close(seconds * 1000);
  return evidence;
};

export const summaryOf = (...args: Parameters<typeof evidenceOf>): StageSummary => evidenceOf(...args).summary(true);

interface Spread {
  readonly first: number;
  readonly clusters: number;
  readonly hitting: number | undefined;
}

const hits = ["errors", "faults", "refusals", "clientErrors", "abandoned"] as const;

const addSide = (evidence: StageEvidence, side: Side, counts: Counts, spread: Spread): void => {
  const { first, clusters, hitting = clusters } = spread;
  const failing = (counts.errors ?? 0) + (counts.abandoned ?? 0);
  const slow = slowOf(counts, side === "canary" ? tolerated : 1);
  const totals = new Map<number, number>([
    [indexOf.requests, counts.requests],
    [indexOf.measured, counts.requests],
    ...hits.map((it): [number, number] => [indexOf[it], counts[it] ?? 0]),
    ...Object.entries(slow).map(([name, part]): [number, number] => [
      indexOf[name as keyof typeof slow],
      failing + Math.round(part * (counts.requests - failing)),
    ]),
    [indexOf.late99, Math.round(slow.over99 * (counts.requests - failing))],
  ]);
  for (let number = 0; number < clusters; number++) {
    const all = new Float64Array(measures.length);
    for (const [measure, total] of totals) {
      const among = hits.some((it) => indexOf[it] === measure) ? Math.min(hitting, clusters) : clusters;
      if (number < among) all[measure] = part(total, number, among);
    }
    if (all.some((it) => it > 0)) evidence.add(side, 0, first + number, all);
  }
};

/** Whole numbers with the right sum, spread evenly. */
const part = (total: number, number: number, among: number): number =>
  Math.floor(((number + 1) * total) / among) - Math.floor((number * total) / among);

/** Stable's latencies are exponential above 20 ms, and their percentiles the thresholds. */
const slowOf = ({ slower = 1, head = 1, tail = 1 }: Counts, stretch: number) => {
  const beyond = (quantile: number, ratio: number): number => {
    const threshold = (20 - 30 * Math.log(1 - quantile)) * ratio;
    let above = 0;
    for (let index = 0; index < 1000; index++) {
      const at = (index + 0.5) / 1000;
      const times = slower * (at < 0.9 ? head : at > 0.95 ? tail : 1);
      if ((20 - 30 * Math.log(1 - at)) * times > threshold) above++;
    }
    return above / 1000;
  };
  return {
    slow99: beyond(0.99, 1),
    over50: beyond(0.5, stretch),
    over90: beyond(0.9, stretch),
    over99: beyond(0.99, stretch),
  };
};
