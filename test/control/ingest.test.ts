/** Reports of gates, fronts and the tail: validation, authorization, and the telemetry objects that receive them. */
import { describe, expect, it } from "vitest";
import type { DataPoint } from "../../functions/control/exporters/analytics-engine.ts";
import type { TierFacts } from "../../functions/control/model/plan.ts";
import { bits, type CellKind, hasBit, type StartedCells } from "../../functions/control/telemetry/evidence/cells.ts";
import type { ObserverReport } from "../../functions/control/telemetry/store.ts";
import { type IngestProps, ingest } from "../../functions/control/wiring/ingest.ts";
import { clustersPerKind } from "../../functions/gateway/observability/clusters.ts";
import { frontOutcomes } from "../../functions/gateway/observability/front-counts.ts";
import type { Report, Series } from "../../functions/gateway/observability/report.ts";
import { binOf } from "../../functions/gateway/observability/samples.ts";

const facts = (workers: readonly string[]) => ({ workers }) as unknown as TierFacts;
const plan = {
  tiers: { wallet: facts(["gate-wallet"]), faq: facts(["gate-shared"]), rates: facts(["gate-shared"]) },
  frontFacts: facts(["postern-front"]),
};

const wallet = { from: "gate", tiers: ["wallet"] } as const;

/** The sender whose binding uses the path. */
const propsFor = (path: string): IngestProps =>
  path === "/v1/front" ? { from: "front" } : path === "/v1/tail" ? { from: "tail" } : wallet;

const ingestHarness = (analytics = false) => {
  const calls: { readonly tier: string; readonly name: string; readonly args: readonly unknown[] }[] = [];
  const points: DataPoint[] = [];
  const env = {
    TELEMETRY: {
      getByName: (tier: string) => ({
        take: async (...args: readonly unknown[]) => void calls.push({ tier, name: "take", args }),
        hear: async (...args: readonly unknown[]) => void calls.push({ tier, name: "hear", args }),
      }),
    },
    ...(analytics && {
      ANALYTICS: { writeDataPoint: (point: DataPoint) => void points.push(point) },
    }),
  };
  const post = async (path: string, body: unknown, as: IngestProps = propsFor(path)) =>
    (
      await ingest(
        new Request(`https://control${path}`, { method: "POST", body: JSON.stringify(body) }),
        as,
        plan,
        env as never,
        { now: () => 0, random: () => 0 },
      )
    ).status;
  const observerReports = () => calls.flatMap(({ args }) => args[0] as ObserverReport[]);
  return { post, calls, points, observerReports };
};

const series = (over: Partial<Series> = {}): Series => ({
  route: "r",
  method: "GET",
  status: "200",
  verdict: "passed",
  by: "",
  code: "",
  upstream: "u",
  count: 2,
  latency: [[binOf(8), 2]],
  upstreamMs: 1500,
  bytesIn: 3,
  bytesOut: 4,
  ...over,
});

const report = (over: Partial<Report> = {}): Report => ({
  tier: "wallet",
  version: "v1",
  sample: { groups: {}, cold: 0 },
  series: [series()],
  cells: [],
  every: 1,
  marks: [],
  streams: [],
  bodies: [],
  brokenBodies: [],
  fronts: [],
  lost: 0,
  ...over,
});

const talliesIn = ([call]: readonly { readonly args: readonly unknown[] }[]) =>
  (call?.args[4] as { readonly tallies: unknown[] } | undefined)?.tallies;

describe("a gate's report", () => {
  it("has no control character in its names, which sentences for terminals and chats repeat", async () => {
    const { post, calls } = ingestHarness();
    const hostile = "x\u001b[2J\nwallet in production: promoted\u202e\r";
    const body = { route: hostile, upstream: hostile, how: "cut", count: 1 } as const;
    expect(
      await post(
        "/v1/report",
        report({ series: [series({ code: hostile, by: hostile, route: hostile })], bodies: [body] }),
      ),
    ).toBe(204);
    expect(JSON.stringify(calls[0]?.args)).not.toMatch(/\\n|\\r|\\u001b|\u202e/);
    expect(JSON.stringify(calls[0]?.args)).toContain("wallet in production: promoted");
  });

  it("goes to its tier's object, with marks, ended streams and earlier losses as tallies", async () => {
    const { post, calls } = ingestHarness();
    const mark = { kind: "shadow", route: "r", filter: "limit", decision: "rate-limited", count: 3 } as const;
    expect(
      await post(
        "/v1/report",
        report({
          marks: [mark],
          streams: [{ route: "r", how: "aged", kind: "websocket", count: 4 }],
          bodies: [{ route: "r", upstream: "it", how: "cut", count: 5 }],
          lost: 2,
        }),
      ),
    ).toBe(204);
    expect(calls).toMatchObject([{ tier: "wallet", name: "take" }]);
    expect(talliesIn(calls)).toEqual([
      { name: "shadow", labels: { route: "r", filter: "limit", decision: "rate-limited" }, by: 3 },
      { name: "streams", labels: { route: "r", how: "aged", kind: "websocket" }, by: 4 },
      { name: "bodies", labels: { route: "r", upstream: "it", how: "cut" }, by: 5 },
      { name: "reports-lost", labels: {}, by: 2 },
    ]);
  });

  it("of an older gate, without newer fields, is accepted", async () => {
    const { post } = ingestHarness();
    const { marks, streams, bodies, ...before } = report();
    const { method, upstream, ...old } = series({ status: "2xx" });
    expect(await post("/v1/report", { ...before, series: [old] })).toBe(204);
  });

  it("is refused if it is invalid", async () => {
    const { post, calls } = ingestHarness();
    expect(await post("/v1/report", { ...report(), lost: -1 })).toBe(400);
    const unknownTier = { from: "gate", tiers: ["constructor"] } as const;
    expect(await post("/v1/report", report({ tier: "constructor" }), unknownTier)).toBe(404);
    expect(await post("/v1/obituary", {})).toBe(404);
    expect(calls).toEqual([]);
  });

  it("is written to Analytics Engine if there is a dataset; points beyond the limit are counted as lost", async () => {
    const { post, points, calls } = ingestHarness(true);
    await post(
      "/v1/report",
      report({ series: Array.from({ length: 260 }, (_, index) => series({ route: `r${index}` })) }),
    );
    expect(points).toHaveLength(250);
    expect(points[0]).toMatchObject({
      indexes: ["wallet"],
      blobs: ["v1", "r0", "GET", "200", "passed", "", "", "u"],
      doubles: [2, 1.5, 3, 4, expect.closeTo(0.016, 3), 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2],
    });
    expect(talliesIn(calls)).toContainEqual({
      name: "analytics-lost",
      labels: {},
      by: 10,
    });
  });
});

describe("a report for another tier or of another kind of sender", () => {
  const front = { counts: [{ tier: "faq", status: "200", code: "", count: 2 }], deaths: [], lost: 0 };
  const tail = { cpu: [], deaths: [{ worker: "gate-shared", version: "v1", outcome: "exception", count: 1 }] };

  it("is refused, reaches no object of that tier, and is counted for the reporting gate", async () => {
    const { post, calls, points } = ingestHarness(true);
    expect(await post("/v1/report", report({ tier: "faq", version: "v-of-faq" }))).toBe(403);
    expect(points).toEqual([]);
    expect(calls).toEqual([{ tier: "wallet", name: "hear", args: [[expect.anything()], 0] }]);
    expect(calls[0]?.args[0]).toEqual([
      { tier: "wallet", version: "", tallies: [{ name: "reports-refused", labels: { from: "gate" }, by: 1 }] },
    ]);
  });

  it("is accepted for each tier of a shared gate, and for no other tier", async () => {
    const { post, calls } = ingestHarness();
    const shared = { from: "gate", tiers: ["faq", "rates"] } as const;
    expect(await post("/v1/report", report({ tier: "faq" }), shared)).toBe(204);
    expect(await post("/v1/report", report({ tier: "rates" }), shared)).toBe(204);
    expect(await post("/v1/report", report({ tier: "wallet" }), shared)).toBe(403);
    expect(calls.filter(({ name }) => name === "take").map(({ tier }) => tier)).toEqual(["faq", "rates"]);
  });

  it.each([
    ["a front's report from a gate", "/v1/front", front, wallet],
    ["a tail's report from a gate", "/v1/tail", { ...tail, faults: [], spans: [] }, wallet],
    ["a gate's report from a front", "/v1/report", report(), { from: "front" } as const],
    ["a tail's report from a front", "/v1/tail", { ...tail, faults: [], spans: [] }, { from: "front" } as const],
    ["a gate's report from the tail", "/v1/report", report(), { from: "tail" } as const],
    [
      "a report of a gate whose binding names no tier",
      "/v1/report",
      report(),
      { from: "gate" } as unknown as IngestProps,
    ],
    ["a report through a binding without props", "/v1/report", report(), {} as IngestProps],
  ])("%s is refused", async (_, path, body, as) => {
    const { post, calls } = ingestHarness();
    expect(await post(path, body, as)).toBeGreaterThanOrEqual(403);
    expect(calls).toEqual([]);
  });
});

/** What a call to a tier's telemetry says of clusters: measures by name. */
const cellsIn = (started: unknown) =>
  (started as readonly StartedCells[]).map(({ at, every, groups, kinds, cells }) => ({
    ...{ at, every, ...(groups && { groups }) },
    cells: cells.map(([kind, ...cell]) => {
      const { route, counts } = kinds[kind] as CellKind;
      const names = (Object.keys(bits) as (keyof typeof bits)[]).filter((bit) => hasBit(counts, bit));
      return [route, names.filter((it) => it !== "requests").join(" "), hasBit(counts, "requests"), ...cell];
    }),
  }));

describe("cells", () => {
  const at = 1_700_000_000_000;
  const all = [
    series(),
    series({ status: "503", verdict: "failed", by: "u" }),
    series({ status: "500", verdict: "failed", code: "internal", upstream: "" }),
    series({ status: "401", verdict: "refused", upstream: "" }),
    series({ status: "404" }),
    series({ status: "499", verdict: "left" }),
    series({ route: "other", status: "2xx" }),
    series({ route: "", status: "404", verdict: "refused", upstream: "" }),
  ];

  it("of a gate are counted by what their series came to; a body that broke off is one more error of its request", async () => {
    const { post, calls } = ingestHarness();
    const cells = [{ at, cells: [...all, series()].map((_, index) => [index, 7, 3, 1] as const) }];
    const brokenBodies = [{ at: at - 2000, cluster: 9, count: 2 }];
    expect(await post("/v1/report", report({ series: all, cells, every: 2, brokenBodies }))).toBe(204);
    expect(cellsIn(calls[0]?.args[6])).toEqual([
      {
        ...{ at, every: 2 },
        cells: [
          ["r", "", true, 7, 3, 1],
          ["r", "errors upstreamErrors failed", true, 7, 3, 1],
          ["r", "errors faults failed", true, 7, 3, 1],
          ["r", "refusals", true, 7, 3, 1],
          ["r", "clientErrors", true, 7, 3, 1],
          ["r", "abandoned failed", true, 7, 3, 1],
          [null, "", true, 7, 3, 1],
          [null, "refusals", true, 7, 3, 1],
        ],
      },
      { at: at - 2000, every: 2, cells: [[null, "errors upstreamErrors", false, 9, -1, 2]] },
    ]);
    // For an object that still runs the previous release. Of two clusters, one was counted.
    expect(calls[0]?.args[1]).toEqual({
      cold: 0,
      groups: {
        "0": expect.objectContaining({ requests: 16, errors: 8, refusals: 4, abandoned: 2, latency: [[3, 4]] }),
      },
    });
  });

  it("of a gateway of a cutover have the series of its causes", async () => {
    const { post, calls } = ingestHarness();
    const causes = [series({ route: "balance" })];
    await post("/v1/report", report({ series: [], causes, cells: [{ at, cells: [[0, 7, 3, 1]] }] }));
    expect(cellsIn(calls[0]?.args[6])).toEqual([{ at, every: 1, cells: [["balance", "", true, 7, 3, 1]] }]);
  });

  it("of a gate of the previous release are its groups of users, of which nobody knows when they began", async () => {
    const { post, calls } = ingestHarness();
    const group = { requests: 10, errors: 1, refusals: 2, upstreamErrors: 1, abandoned: 3, latency: [] };
    const { cells, every, brokenBodies, ...old } = report({ sample: { groups: { "31": group }, cold: 0 } });
    expect(await post("/v1/report", old)).toBe(204);
    expect(calls[0]?.args[1]).toEqual(old.sample);
    expect(cellsIn(calls[0]?.args[6])).toEqual([
      {
        ...{ at: null, every: 1, groups: true },
        cells: [
          [null, "", true, 31, -1, 4],
          [null, "errors failed", true, 31, -1, 1],
          [null, "refusals", true, 31, -1, 2],
          [null, "abandoned failed", true, 31, -1, 3],
        ],
      },
    ]);
  });

  it("through a front count its requests, and the front's own count what it answered, and the latency of all", async () => {
    const { post, calls } = ingestHarness();
    const through = frontOutcomes.map((_, index) => [index, 7, 1] as const);
    const front = { version: "f1", groups: {}, cells: [{ at, cells: through.slice(0, 5) }], every: 1 };
    await post("/v1/report", report({ fronts: [front] }));
    const fronts = calls.flatMap(({ args }) => (args[4] as { fronts: { cells: unknown }[] }).fronts);
    expect(fronts.flatMap((it) => cellsIn(it.cells))).toEqual([
      {
        ...{ at, every: 1 },
        cells: ["", "errors failed", "refusals", "abandoned failed", "errors upstreamErrors failed"].map((it) => [
          ...[null, it, true, 7, -1, 1],
        ]),
      },
    ]);
    const own = { counts: [], deaths: [], lost: 0, version: "f1", sample: { groups: {}, cold: 0 }, answers: [] };
    const cells = [
      {
        at,
        cells: [
          [1, 7, 3, 1],
          [2, 7, 3, 1],
          [5, 7, 3, 1],
          [6, 7, 3, 1],
        ],
      },
    ];
    expect(await post("/v1/front", { ...own, cells, every: 4 })).toBe(204);
    expect(cellsIn(calls.at(-1)?.args[6])).toEqual([
      {
        ...{ at, every: 4 },
        cells: [
          ["", "errors failed", true, 7, 3, 1],
          ["", "refusals", true, 7, 3, 1],
          ["", "", false, 7, 3, 1],
          ["", "failed", false, 7, 3, 1],
        ],
      },
    ]);
  });

  it("of deaths have the front's clusters; the tail knows none", async () => {
    const { post, observerReports } = ingestHarness();
    const death = { tier: "wallet", version: "v2", group: 5, cluster: 77, at };
    await post("/v1/front", { counts: [], deaths: [death, { ...death, cluster: 78 }], lost: 0 });
    await post("/v1/front", { counts: [], deaths: [{ tier: "wallet", version: "v2", group: 5 }], lost: 0 });
    const died = { worker: "gate-wallet", version: "v2", outcome: "exceededCpu", count: 3 };
    await post("/v1/tail", { cpu: [], deaths: [died], faults: [], spans: [] });
    const fault = [null, "errors faults failed", true] as const;
    expect(observerReports().flatMap(({ deaths }) => cellsIn(deaths?.cells ?? []))).toEqual([
      {
        at,
        every: 1,
        cells: [
          [...fault, 77, -1, 1],
          [...fault, 78, -1, 1],
        ],
      },
      { at: null, every: 1, cells: [[...fault, 5, -1, 1]] },
      { at: null, every: 1, cells: [[...fault, 2 * clustersPerKind, -1, 3]] },
    ]);
  });
});

describe("reports about the front", () => {
  const group = { requests: 4, errors: 1, refusals: 0, upstreamErrors: 0, abandoned: 0 };
  const empty = { cpu: [], deaths: [], faults: [], spans: [] };

  it("of a gate are stored with its tier, by the front's version", async () => {
    const { post, calls } = ingestHarness();
    const fromOlderGate = { version: "f1", groups: { "3": group } } as never;
    expect(await post("/v1/report", report({ fronts: [fromOlderGate] }))).toBe(204);
    expect(calls[0]?.args[4]).toMatchObject({
      tier: "wallet",
      fronts: [{ version: "f1", sample: { groups: { "3": { ...group, latency: [] } } } }],
    });
  });

  it("of the front itself go to its own object, as a histogram by class of the status, and name its version", async () => {
    const { post, calls, observerReports } = ingestHarness();
    const latency = [[3, 5]];
    const sample = { groups: { "1": { ...group, latency } }, cold: 2 };
    const counts = [{ tier: "wallet", status: "200", code: "", count: 5 }];
    const answers = [{ status: "2xx", count: 5, latency }];
    expect(await post("/v1/front", { counts, deaths: [], lost: 0, version: "f1", sample, answers })).toBe(204);
    const own = calls.find(({ tier }) => tier === "front");
    expect(own?.name).toBe("take");
    expect(own?.args.slice(0, 2)).toEqual(["f1", sample]);
    expect(own?.args[2]).toMatchObject([{ status: "2xx", count: 5, latency }]);
    calls.splice(calls.indexOf(own as (typeof calls)[number]), 1);
    expect(observerReports()).toMatchObject([{ tier: "wallet", version: "f1" }]);
  });

  it("of an older front have no version, and are accepted", async () => {
    const { post, calls } = ingestHarness();
    const counts = [{ tier: "wallet", status: "200", code: "", count: 5 }];
    expect(await post("/v1/front", { counts, deaths: [], lost: 0 })).toBe(204);
    expect(calls.map(({ tier }) => tier)).toEqual(["wallet"]);
  });

  it("of the tail are statuses by version, and deaths", async () => {
    const { post, observerReports } = ingestHarness();
    const deaths = [{ worker: "postern-front", version: "f2", outcome: "exception", count: 2 }];
    const fronts = [{ version: "f2", requests: 40, errors: 3, refusals: 1 }];
    expect(await post("/v1/tail", { ...empty, deaths, fronts })).toBe(204);
    const [died, seen] = observerReports();
    expect(died).toMatchObject({ tier: "front", version: "f2", tallies: [{ name: "deaths", by: 2 }] });
    const groups = Object.values(seen?.fronts?.[0]?.sample.groups ?? {});
    const sum = (key: "requests" | "errors" | "refusals") => groups.reduce((all, it) => all + it[key], 0);
    expect([sum("requests"), sum("errors"), sum("refusals")]).toEqual([40, 3, 1]);
    const dead = Object.values(seen?.fronts?.[0]?.deaths?.groups ?? {});
    expect(dead.reduce((all, { requests }) => all + requests, 0)).toBe(2);
    expect(await post("/v1/tail", empty)).toBe(204);
  });
});

describe("the tail's report", () => {
  const death = { version: "v1", outcome: "exceededCpu", count: 3 };

  it("counts CPU for a known tier, and a death for each tier of the gate", async () => {
    const { post, observerReports } = ingestHarness();
    const cpu = { version: "v1", route: "", requests: 0, cpuMs: 7 };
    const body = {
      cpu: [
        { ...cpu, worker: "gate-shared", tier: "faq", route: "r", requests: 1 },
        { ...cpu, worker: "gate-shared", tier: "" },
        { ...cpu, worker: "gate-wallet", tier: "" },
        { ...cpu, worker: "gate-wallet", tier: "constructor" },
      ],
      deaths: [
        { ...death, worker: "gate-shared" },
        { ...death, worker: "gate-nobody" },
      ],
      faults: [{ tier: "wallet", version: "v1", code: "feed-lost", count: 2 }],
      spans: [{ tier: "wallet", taken: 1, failed: 0, lost: 4 }],
    };
    expect(await post("/v1/tail", body)).toBe(204);
    const all = observerReports();
    expect(all.filter(({ tallies }) => tallies[0]?.name === "cpu").map(({ tier }) => tier)).toEqual(["faq", "wallet"]);
    const dead = all.filter(({ tallies }) => tallies[0]?.name === "deaths");
    // A rollout of their shared gate sums both.
    expect(dead.map(({ tier, deaths }) => [tier, deaths?.seen])).toEqual([
      ["faq", "tail"],
      ["rates", undefined],
    ]);
    expect(all.flatMap(({ tallies }) => tallies)).toContainEqual({
      name: "faults",
      labels: { code: "feed-lost" },
      by: 2,
    });
    expect(all.flatMap(({ tallies }) => tallies)).toContainEqual({
      name: "push-lost",
      labels: { signal: "traces" },
      by: 4,
    });
  });
});

describe("a front's report", () => {
  it("assigns a death to its version and its user's group", async () => {
    const { post, observerReports } = ingestHarness();
    const body = {
      counts: [{ tier: "wallet", status: "503", code: "gate-unavailable", count: 2 }],
      deaths: [
        { tier: "wallet", version: "v2", group: 5 },
        { tier: "wallet", version: "v2", group: 5 },
      ],
      lost: 1,
    };
    expect(await post("/v1/front", body)).toBe(204);
    expect(observerReports()).toMatchObject([
      {
        version: "",
        tallies: [
          { name: "front", by: 2 },
          { name: "reports-lost", by: 1 },
        ],
      },
      { version: "v2", deaths: { seen: "front", sample: { groups: { 5: { requests: 2, errors: 2 } } } } },
    ]);
  });
});

it("counts a death in a shared gate once, as the tail reports it", async () => {
  const { post, observerReports } = ingestHarness();
  const death = { version: "v1", outcome: "exception", count: 1 };
  await post("/v1/front", { counts: [], deaths: [{ tier: "rates", version: "v1", group: 1 }], lost: 0 });
  await post("/v1/tail", { cpu: [], deaths: [{ ...death, worker: "gate-shared" }], faults: [], spans: [] });
  expect(observerReports().flatMap(({ deaths }) => deaths?.seen ?? [])).toEqual(["tail"]);
});

it("calls each tier's object once per report", async () => {
  const { post, calls } = ingestHarness();
  const counts = ["200", "404", "503"].map((status) => ({ tier: "wallet", status, code: "", count: 1 }));
  await post("/v1/front", { counts, deaths: [], lost: 0 });
  expect(calls.map(({ tier, name }) => [tier, name])).toEqual([["wallet", "hear"]]);
});
