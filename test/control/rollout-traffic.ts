/** What users send to both versions of a rollout, and what the versions do with it: samples as the gates report them, without chance. */
import type { Stretch } from "../../functions/control/model/rollout.ts";
import type { Cause } from "../../functions/control/telemetry/counts/causes.ts";
import type { StoredSample } from "../../functions/control/telemetry/counts/samples.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { type Bins, binOf, type Group, groups, maxBin, msOf } from "../../functions/gateway/observability/samples.ts";
import { type Counts, summaryOf } from "../functions/control/rollout/evidence.ts";

/** What one version does: shares of its requests. */
export interface Behaviour {
  readonly errors?: number;
  readonly refusals?: number;
  readonly upstreamErrors?: number;
  readonly clientErrors?: number;
  readonly faults?: number;
  readonly abandoned?: number;
  /** A factor of the latency. */
  readonly slower?: number;
  /** The counts are shares too. */
  readonly causes?: readonly Cause[];
}

export interface Traffic {
  readonly requestsPerSecond: number;
  /** Clients, most of them authenticated; default: 5,200. */
  readonly clusters?: number;
  readonly stable: Behaviour;
  readonly canary: Behaviour;
}

/** Reports of the previous split still arrive for this long. */
const reportDelayMs = 4000;

/** By traffic, then by period: a stage that is over is read again and again. */
const known = new WeakMap<Traffic, Map<string, Stage>>();

export const stageOf = (traffic: Traffic, stretch: Pick<Stretch, "share" | "since" | "until">, now: number): Stage => {
  const stages = known.get(traffic) ?? new Map<string, Stage>();
  known.set(traffic, stages);
  const key = [stretch.share, stretch.since, stretch.until ?? now].join(" ");
  const stage = stages.get(key) ?? newStage(traffic, stretch, now);
  stages.set(key, stage);
  return stage;
};

const newStage = (
  { requestsPerSecond, clusters = 5200, stable, canary }: Traffic,
  { share, since, until }: Pick<Stretch, "share" | "since" | "until">,
  now: number,
): Stage => {
  const end = until ?? now;
  const from = Math.min(since + reportDelayMs, end);
  const all = Math.round((end - from) * (requestsPerSecond / 1000));
  const mine = Math.round((all * share) / 100);
  return {
    share: share / 100,
    since: from,
    until: end,
    units: [summaryOf(Math.min(1, share / 100), countsOf(all - mine, stable), countsOf(mine, canary), { clusters })],
    stable: sampleOf(all - mine, stable),
    canary: sampleOf(mine, canary),
  };
};

/** Clusters send the same; the evidence has them all in its only interval. */
const countsOf = (requests: number, { slower, causes: _, upstreamErrors: __, ...shares }: Behaviour): Counts => ({
  requests,
  ...Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, Math.round(share * requests)])),
  ...(slower !== undefined && { slower }),
});

const sampleOf = (requests: number, { causes = [], slower = 1, ...shares }: Behaviour): StoredSample => {
  const count = (share = 0) => Math.round(share * requests);
  const counted = causes.map((it) => ({ ...it, count: count(it.count) })).filter((it) => it.count > 0);
  const successful = requests - count(shares.errors) - count(shares.refusals) - count(shares.abandoned);
  return {
    cold: 0,
    groups: Object.fromEntries(
      Array.from({ length: groups }, (_, group): [string, Group] => [
        String(group),
        {
          requests: part(requests, group),
          errors: part(count(shares.errors), group),
          refusals: part(count(shares.refusals), group),
          upstreamErrors: part(count(shares.upstreamErrors), group),
          abandoned: part(count(shares.abandoned), group),
          latency: binsOf(part(successful, group), slower),
        },
      ]),
    ),
    ...(counted.length > 0 && { causes: counted }),
  };
};

/** Whole numbers by group with the right sum; 13 spreads small counts over all groups. */
const part = (count: number, group: number): number =>
  Math.floor(count / groups) + ((group * 13) % groups < count % groups ? 1 : 0);

/** Exponential above 20 ms: 99 % are below 158 ms. */
const shareBelow = (ms: number): number => (ms <= 20 ? 0 : 1 - Math.exp(-(ms - 20) / 30));

const binsOf = (requests: number, slower: number): Bins => {
  const below = (bin: number) => Math.round(requests * (bin >= maxBin ? 1 : shareBelow(msOf(bin) / slower)));
  const bins: [number, number][] = [];
  for (let bin = binOf(20 * slower); bin <= maxBin; bin++) {
    const count = below(bin) - below(bin - 1);
    if (count > 0) bins.push([bin, count]);
  }
  return bins;
};
