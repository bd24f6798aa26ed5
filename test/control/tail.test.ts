/** The tail collector: sums for control, spans for an OTLP collector, bounded memory. */
import { describe, expect, it } from "vitest";
import { tailCollector } from "../../functions/control/tail/collector.ts";
import type { TailReport } from "../../functions/control/tail/counts.ts";
import { decodeOtlp } from "./otlp.ts";

const context = {
  environment: "test",
  scheme: "https",
  front: "postern-front",
  workers: { "gate-wallet": ["wallet"], "gate-shared": ["faq", "rates"] },
  paths: { wallet: { balance: "/wallet/v1/accounts/{id}" } },
};

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

type Event = Parameters<ReturnType<typeof tailCollector>>[0][number];

interface EventOptions {
  readonly outcome?: string;
  readonly line?: object | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly worker?: string;
  readonly more?: readonly object[];
  readonly entrypoint?: string;
  readonly version?: string;
  readonly status?: number;
}

const event = ({
  outcome = "ok",
  line = {},
  headers = {},
  worker = "gate-wallet",
  more = [],
  entrypoint = "Behind",
  version = "v1",
  status,
}: EventOptions = {}) =>
  ({
    scriptName: worker,
    entrypoint,
    scriptVersion: { id: version },
    outcome,
    cpuTime: 3,
    wallTime: 20,
    eventTimestamp: Date.UTC(2026, 10, 1),
    event: { request: { method: "GET", url: "https://gate/secret", headers }, ...(status && { response: { status } }) },
    logs: [
      { message: ["something else"] },
      ...more.map((it) => ({ message: [JSON.stringify(it)] })),
      ...(line === null ? [] : [{ message: [JSON.stringify({ ...access, ...line })] }]),
    ],
  }) as unknown as Event;

const access = {
  type: "access",
  time: "2026-11-01T00:00:00.000Z",
  tier: "wallet",
  route: "balance",
  version: "v1",
  method: "GET",
  status: 200,
  verdict: "passed",
  ms: 12,
  upstream: "accounts",
  upstreamMs: 9,
  request: "r1",
  trace,
  span,
  sampled: true,
};

const tailHarness = (answers: (Response | Error)[] = []) => {
  const collect = tailCollector(context);
  const reports: TailReport[] = [];
  const pushes: string[] = [];
  const lines: object[] = [];
  const clock = { now: 0 };
  const ports = {
    report: async (report: TailReport) => void reports.push(report),
    collector: {
      url: "https://collector.example",
      secret: null,
      send: async (_: string, init: RequestInit) => {
        pushes.push(String(init.body));
        const answer = answers.shift() ?? Response.json({});
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    sleep: async () => {},
    now: () => clock.now,
    log: (line: object) => void lines.push(line),
  };
  return { collect: (...events: Event[]) => collect(events, ports), reports, pushes, lines, clock };
};

const spansIn = (text: string) =>
  (
    decodeOtlp("traces", text).resourceSpans as {
      scopeSpans: { spans: { name: string; attributes: unknown[]; status: object; kind: number }[] }[];
    }[]
  ).flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

describe("the report to control", () => {
  it("contains CPU by route, and deaths by outcome", async () => {
    const { collect, reports } = tailHarness();
    await collect(event(), event(), event({ line: null }), event({ outcome: "exceededCpu", line: null }));
    expect(reports).toMatchObject([
      {
        cpu: [
          { worker: "gate-wallet", tier: "wallet", version: "v1", route: "balance", requests: 2, cpuMs: 6 },
          { worker: "gate-wallet", tier: "", route: "", requests: 0, cpuMs: 6 },
        ],
        deaths: [{ worker: "gate-wallet", version: "v1", outcome: "exceededCpu", count: 1 }],
      },
    ]);
  });

  it("contains the statuses of the front by version, and not of clients that chose it", async () => {
    const { collect, reports } = tailHarness();
    const front = (version: string, over: Partial<Parameters<typeof event>[0]>) =>
      event({ worker: "postern-front", entrypoint: "", line: null, version, ...over });
    await collect(
      front("f1", { status: 200 }),
      front("f1", { status: 404 }),
      front("f2", { status: 503 }),
      front("f2", { outcome: "exception" }),
      front("f2", { status: 500, headers: { "cloudflare-workers-version-overrides": "it" } }),
      event({ status: 500 }),
    );
    expect(reports[0]?.fronts).toEqual([
      { version: "f1", requests: 2, errors: 0, refusals: 1 },
      { version: "f2", requests: 2, errors: 2, refusals: 0 },
    ]);
    expect(reports[0]?.deaths).toEqual([{ worker: "postern-front", version: "f2", outcome: "exception", count: 1 }]);
    await collect(event());
    expect(reports[1]?.fronts).toEqual([]);
  });

  it("contains faults outside of requests, such as an unavailable feed", async () => {
    const { collect, reports } = tailHarness();
    const lost = { type: "fault", tier: "wallet", route: null, code: "feed-lost", cause: "gone" };
    await collect(event({ more: [lost] }), event({ more: [lost, lost] }));
    expect(reports[0]?.faults).toEqual([{ tier: "wallet", version: "v1", code: "feed-lost", count: 3 }]);
  });

  it("drops and counts lines for tiers that the gate does not serve", async () => {
    const { collect, reports, pushes } = tailHarness();
    const forged = { type: "fault", tier: "wallet", route: null, code: "internal", cause: "not mine" };
    const own = { ...forged, tier: "rates" };
    await collect(
      event({ worker: "gate-shared", more: [forged, own] }),
      event({ worker: "gate-shared", line: { tier: "rates", route: "r" } }),
      event({ worker: "gate-nobody" }),
    );
    const [report] = reports;
    expect(report?.cpu.map(({ tier, route }) => [tier, route])).toEqual([
      ["", ""],
      ["rates", "r"],
      ["", ""],
    ]);
    expect(report?.faults.map(({ tier, code }) => [tier, code])).toEqual([
      ["rates", "internal"],
      ["faq", "line-foreign"],
    ]);
    expect(pushes.join()).not.toContain("wallet");
  });

  it("excludes testers, and counts no death when a client disconnects", async () => {
    const { collect, reports } = tailHarness();
    await collect(event({ outcome: "exception", headers: { "x-postern-smoke": "1" } }), event({ outcome: "canceled" }));
    expect(reports).toMatchObject([{ deaths: [], cpu: [{ requests: 1 }] }]);
  });

  it("counts no death where the gate ended a stream", async () => {
    const { collect, reports } = tailHarness();
    const line = { type: "stream", tier: "wallet", route: "balance", how: "drained", kind: "body" };
    await collect(event({ outcome: "exception", more: [line] }), event({ outcome: "exception" }));
    expect(reports).toMatchObject([{ deaths: [{ outcome: "exception", count: 1 }] }]);
  });

  it.each(["response-cut", "response-stalled"])(
    "counts no death where the gate has counted a body: %s",
    async (code) => {
      const { collect, reports } = tailHarness();
      await collect(event({ outcome: "exception", more: [{ type: "fault", tier: "wallet", route: "balance", code }] }));
      expect(reports).toMatchObject([{ deaths: [], faults: [{ code, count: 1 }] }]);
    },
  );

  it("counts a death for want of memory or CPU time, also where the gate has counted a body", async () => {
    const { collect, reports } = tailHarness();
    const line = { type: "fault", tier: "wallet", route: "balance", code: "response-stalled" };
    await collect(event({ outcome: "exceededMemory", more: [line] }), event({ outcome: "exceededCpu", more: [line] }));
    expect(reports).toMatchObject([{ deaths: [{ outcome: "exceededMemory" }, { outcome: "exceededCpu" }] }]);
  });

  it("includes a client at a zone's gate that claims to be a tester", async () => {
    const { collect, reports } = tailHarness();
    await collect(event({ outcome: "exception", headers: { "x-postern-smoke": "1" }, entrypoint: "default" }));
    expect(reports).toMatchObject([{ deaths: [{ count: 1 }] }]);
  });

  it("is bounded, whatever a gate writes", async () => {
    const { collect, reports } = tailHarness();
    const many = Array.from({ length: 5000 }, (_, index) => event({ line: { route: `r${index}` } }));
    await collect(...many);
    expect(reports[0]?.cpu).toHaveLength(2000);
    expect(reports[0]?.spans).toMatchObject([{ tier: "wallet", lost: 3000 }]);
  });
});

describe("the push to a collector", () => {
  it("contains a request if its trace is sampled, without its path", async () => {
    const { collect, pushes } = tailHarness();
    await collect(event(), event({ line: { sampled: false } }), event({ line: { span: undefined } }));
    expect(pushes).toHaveLength(1);
    expect(spansIn(pushes[0] as string)).toMatchObject([{ name: "GET /wallet/v1/accounts/{id}", kind: 2 }]);
    expect(pushes[0]).not.toContain("secret");
  });

  it("marks a failure as an error, but not a refusal", async () => {
    const { collect, pushes } = tailHarness();
    await collect(
      event({ line: { status: 502, verdict: "failed", code: "upstream-unreachable" } }),
      event({ line: { status: 401, verdict: "refused", code: "token-missing", route: null } }),
    );
    expect(spansIn(pushes[0] as string)).toMatchObject([
      { status: { code: 2 }, name: "GET /wallet/v1/accounts/{id}" },
      { status: {}, name: "GET" },
    ]);
    expect(pushes[0]).toContain('{"key":"error.type","value":{"stringValue":"upstream-unreachable"}}');
  });

  it("reports a death in the front's trace, under the gate's name if the gate is shared", async () => {
    const { collect, pushes } = tailHarness();
    const headers = { traceparent: `00-${trace}-${span}-01`, "x-postern-parent-span": "00f067aa0ba902b7" };
    await collect(event({ outcome: "exceededMemory", line: null, headers, worker: "gate-shared" }));
    expect(spansIn(pushes[0] as string)).toMatchObject([{ status: { code: 2 }, name: "GET" }]);
    expect(pushes[0]).toContain('"gate-shared"');
    expect(pushes[0]).toContain('"parentSpanId":"00f067aa0ba902b7"');
  });

  it("is retried with a delay when the collector is unavailable", async () => {
    const { collect, pushes, reports, clock } = tailHarness([new Response(null, { status: 503 })]);
    await collect(event());
    await collect(event());
    expect(pushes).toHaveLength(1);
    clock.now += 10_000;
    await collect(event());
    expect(pushes).toHaveLength(2);
    expect(spansIn(pushes[1] as string)).toHaveLength(3);
    expect(reports.map(({ spans }) => spans)).toMatchObject([[{ failed: 1, lost: 0 }], [], [{ taken: 1 }]]);
  });

  it("is not retried for rejected spans, which are counted as lost", async () => {
    const { collect, reports } = tailHarness([
      new Response(null, { status: 400 }),
      Response.json({ partialSuccess: { rejectedSpans: "1" } }),
    ]);
    await collect(event(), event());
    expect(reports[0]?.spans).toEqual([{ tier: "wallet", taken: 0, failed: 1, lost: 2 }]);
  });

  it("does not happen without a configured collector", async () => {
    const collect = tailCollector(context);
    const reports: TailReport[] = [];
    await collect([event()], {
      report: async (report) => void reports.push(report),
      collector: null,
      sleep: async () => {},
      now: () => 0,
      log: () => {},
    });
    expect(reports[0]?.spans).toEqual([]);
  });
});
