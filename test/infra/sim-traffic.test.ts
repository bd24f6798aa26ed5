import { describe, expect, it } from "vitest";
import { indexOf } from "../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../functions/control/stats/stage-evidence.ts";
import { clustersPerKind, kindOf } from "../../functions/gateway/observability/clusters.ts";
import { aliasTableOf, sampleIndex } from "../../infra/sim/traffic/alias.ts";
import { type Behaviour, modelOf, requestsPerFirst, usual } from "../../infra/sim/traffic/behaviour.ts";
import { assignPositions, clientsOf, type Population } from "../../infra/sim/traffic/clients.ts";
import { countingOf } from "../../infra/sim/traffic/counting.ts";
import {
  addPast,
  exceedingOf,
  noPast,
  raised,
  shapeOf,
  thresholdsOf,
  thresholdsPerRoute,
} from "../../infra/sim/traffic/latency.ts";
import { seededRandom } from "../../infra/sim/traffic/random.ts";
import { abandoned, canarySide, drawRequests, passed, stableSide } from "../../infra/sim/traffic/requests.ts";

const even = new Float64Array(5).fill(1000);
const past = noPast();
addPast(past, shapeOf(1), even, 0);
const thresholds = thresholdsOf(past) ?? [];

/** Draws about 200,000 requests, and returns what a share of each version's requests is. */
const drawn = (population: Population, stable: Partial<Behaviour>, canary: Partial<Behaviour> = {}, share = 0.25) => {
  const random = seededRandom(7);
  const clients = clientsOf(population, random);
  const counts = { requests: [0, 0], slow: [0, 0, 0, 0], measured: 0, outcomes: new Map<number, [number, number]>() };
  const kinds = new Map<string, number>();
  const models = [modelOf({ ...usual, ...stable }), modelOf({ ...usual, ...stable, ...canary })] as const;
  const period = (side: 0 | 1) => ({
    model: models[side],
    unmeasured: 0,
    exceeding: exceedingOf(models[side].shape, side === canarySide ? raised(thresholds, 4) : thresholds, 0),
  });
  const harm = { requests: 0, failed: 0, failedUnderStable: 0 };
  drawRequests(
    {
      ...{ clients, share, failing: 0, mean: 200_000, positions: assignPositions(clients, random) },
      versions: [period(stableSide), period(canarySide)],
    },
    random,
    {
      harm,
      witnessed: new Float64Array(2),
      count: (side, cluster, outcome, slow) => {
        counts.requests[side] = (counts.requests[side] ?? 0) + 1;
        const of = counts.outcomes.get(outcome) ?? [0, 0];
        of[side as 0 | 1]++;
        counts.outcomes.set(outcome, of);
        const kind = kindOf(cluster);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (slow < 0 || side === canarySide) return;
        counts.measured++;
        for (let bit = 0; bit < thresholdsPerRoute; bit++)
          counts.slow[bit] = (counts.slow[bit] ?? 0) + ((slow >> bit) & 1);
      },
    },
  );
  const all = (counts.requests[0] ?? 0) + (counts.requests[1] ?? 0);
  const rate = (outcome: number, side: 0 | 1) =>
    (counts.outcomes.get(outcome)?.[side] ?? 0) / (counts.requests[side] ?? 1);
  return {
    all,
    rate,
    harm,
    kinds,
    share: (counts.requests[1] ?? 0) / all,
    slow: counts.slow.map((it) => it / counts.measured),
  };
};

const alike: Population = { clients: 20_000, tail: { shape: 3, most: 5 } };
const quiet = { errors: 0, refusals: 0, clientErrors: 0, hangs: 0 };

describe("requests", () => {
  it("are as many as their mean, with retries, and the canary gets its share", () => {
    const { all, share } = drawn(alike, { errors: 0.2 });
    expect(all / 200_000).toBeCloseTo(1, 1);
    expect(share).toBeCloseTo(0.25, 1);
  });

  it("fail as often as the behaviour says, retries included", () => {
    for (const errors of [0.01, 0.1, 0.6, 1]) {
      const { rate } = drawn({ ...alike, attack: { networks: "own", keys: "own" } }, { ...quiet, errors });
      expect(rate(1, stableSide), `${errors}`).toBeCloseTo(errors, 2);
    }
  });

  it("have the outcomes of their version", () => {
    const { rate, harm } = drawn(alike, {}, { refusals: 0.07, hangs: 0.03 });
    expect(rate(2, stableSide)).toBeCloseTo(0.02, 2);
    expect(rate(2, canarySide)).toBeCloseTo(0.07, 2);
    expect(rate(3, stableSide)).toBeCloseTo(usual.clientErrors, 2);
    expect(rate(abandoned, canarySide)).toBeCloseTo(0.03, 2);
    expect((harm.failed - harm.failedUnderStable) / harm.requests).toBeCloseTo(0.08, 2);
  });

  it("are half, a tenth and a hundredth of them slower than the quantiles of the past", () => {
    const [slow99 = 0, over50 = 0, over90 = 0, over99 = 0] = drawn(alike, quiet).slow;
    expect(over50).toBeGreaterThan(0.44);
    expect(over50).toBeLessThan(0.52);
    expect(over90).toBeCloseTo(0.1, 1);
    expect(slow99).toBeGreaterThan(0.006);
    expect(slow99).toBeLessThan(0.012);
    expect(over99).toBe(slow99);
  });

  it("of a tenth come without a key, and half of the clients with a key are authenticated", () => {
    const clients = clientsOf({ clients: 10_000 }, seededRandom(3));
    const dealt = clients.activity.reduce((sum, it, client) => sum + (clients.kind[client] === 2 ? it : 0), 0);
    expect(dealt).toBeCloseTo(0.1, 9);
    const count = (kind: number) => clients.kind.reduce((sum, it) => sum + (it === kind ? 1 : 0), 0);
    expect([count(0), count(1), count(2)]).toEqual([4500, 4500, 1000]);
    const { kinds, all } = drawn(alike, {});
    expect((kinds.get("dealt") ?? 0) / all).toBeCloseTo(0.1, 2);
  });

  it("of one address are one cluster, and those of a hundred are a hundred", () => {
    const attack = (clients: number, networks: number) =>
      new Set(
        clientsOf({ clients, authenticated: 0, keyless: 0, attack: { networks, keys: "chosen" } }, seededRandom(3))
          .cluster,
      ).size;
    expect(attack(32, 1)).toBe(1);
    expect(attack(1000, 100)).toBe(100);
  });

  it("of most networks are one client's, and of some hundreds'", () => {
    const { cluster } = clientsOf({ clients: 4000, authenticated: 0, keyless: 0 }, seededRandom(3));
    const sizes = new Map<number, number>();
    for (const it of cluster) sizes.set(it, (sizes.get(it) ?? 0) + 1);
    const all = [...sizes.values()].toSorted((a, b) => b - a);
    expect(all.slice(0, 2).every((it) => it >= 200)).toBe(true);
    expect(all.filter((it) => it === 1).length / all.length).toBeGreaterThan(0.75);
    expect(Math.max(...cluster)).toBeLessThan(clustersPerKind);
  });
});

it("retries add requests", () => {
  expect(requestsPerFirst(modelOf({ ...usual, errors: 0 }))).toBe(1);
  expect(requestsPerFirst(modelOf({ ...usual, errors: 1 }))).toBeCloseTo(2, 9);
});

it("an alias table draws by weight", () => {
  const table = aliasTableOf(Float64Array.from([1, 0, 3, 4]));
  const counts = [0, 0, 0, 0];
  for (let index = 0; index < 80_000; index++) {
    const at = sampleIndex(table, (index + 0.5) / 80_000);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const [index, it] of [10_000, 0, 30_000, 40_000].entries()) expect(counts[index]).toBeCloseTo(it, -1);
});

describe("thresholds", () => {
  it("do not exist for a route that stable does not know, or hardly", () => {
    expect(thresholdsOf(noPast())).toBeUndefined();
    const hardly = noPast();
    addPast(hardly, shapeOf(1), [199], 0);
    expect(thresholdsOf(hardly)).toBeUndefined();
  });
});

it("an abandoned request counts half a minute later, in the stage in which it began", () => {
  const [first, second] = [
    new StageEvidence({ requests: 0, latency: 0 }),
    new StageEvidence({ requests: 0, latency: 0 }),
  ];
  const counting = countingOf();
  const totals = (it: StageEvidence) => it.summary(false).canary.totals;
  const model = modelOf(usual);
  counting.begin({ evidence: first, at: 0 }, 0);
  counting.count(canarySide, 5, abandoned, 15, model);
  counting.count(canarySide, 5, passed, 0, model);
  expect(counting.report(10)).toEqual(new Set([first]));
  expect(totals(first)[indexOf.requests]).toBe(1);
  for (const now of [10, 20, 30]) {
    counting.begin({ evidence: second, at: now * 1000 - 10_000 }, now);
    expect(counting.report(now + 10)).toEqual(now < 30 ? new Set([second]) : new Set([second, first]));
  }
  expect(totals(first)[indexOf.abandoned]).toBe(1);
  expect(totals(first)[indexOf.requests]).toBe(2);
  expect(totals(second)[indexOf.requests]).toBe(0);
});
