/** A tier's telemetry on a local cloud: OTLP collector, Prometheus, and deaths observed by the tail and the front. */
import http from "node:http";
import { json } from "node:stream/consumers";
import parse from "parse-prometheus-text-format";
import { expect, it, onTestFinished, vi } from "vitest";
import { targetOf } from "../../infra/release/target.ts";
import { wrangler } from "../../infra/release/wrangler.ts";
import { decodeOtlp } from "../control/otlp.ts";
import { manifest, runService } from "../e2e/project.ts";
import { full, type RolloutCloud, rolloutCloud, startUsers } from "./rollout-cloud.ts";

interface Attributes {
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface Span extends Attributes {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
}

const attributesOf = ({ attributes }: Attributes): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Decodes messages with OpenTelemetry's own classes. */
const collector = async () => {
  const spans: (Span & { readonly service: unknown })[] = [];
  const metrics = new Map<string, { readonly service: unknown; readonly points: readonly Attributes[] }>();
  const wrong: unknown[] = [];
  const server = http.createServer(async (request, response) => {
    try {
      const signal = request.url === "/v1/traces" ? "traces" : "metrics";
      const message = decodeOtlp(signal, JSON.stringify(await json(request)));
      if (signal === "traces")
        for (const { resource, scopeSpans } of message.resourceSpans as {
          resource: Attributes;
          scopeSpans: { spans: Span[] }[];
        }[])
          for (const span of scopeSpans.flatMap((it) => it.spans))
            spans.push({ ...span, service: attributesOf(resource)["service.name"] });
      else
        for (const { resource, scopeMetrics } of message.resourceMetrics as {
          resource: Attributes;
          scopeMetrics: { metrics: { name: string; sum?: { dataPoints: Attributes[] } }[] }[];
        }[])
          for (const { name, sum } of scopeMetrics.flatMap((it) => it.metrics))
            metrics.set(name, { service: attributesOf(resource)["service.name"], points: sum?.dataPoints ?? [] });
    } catch (error) {
      wrong.push(error);
    }
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { readonly port: number };
  return { url: `http://localhost:${port}`, spans, metrics, wrong };
};

/** A gate that answers most requests, crashes on some before it can report, and reports for another tier. */
const dying = `import { Behind as Gate } from "./gate.js";
const forged = { tier: "b", version: "v", sample: { groups: {}, cold: 0 }, series: [], lost: 0 };
export class Behind extends Gate {
  fetch(request) {
    if (request.url.includes("deadly")) throw new Error("dead");
    if (request.url.includes("forged"))
      return this.env.TELEMETRY.fetch("https://control/v1/report", { method: "POST", body: JSON.stringify(forged) });
    return super.fetch(request);
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

const tier = (url: string) =>
  manifest(
    "a",
    `upstreams: { it: { http: "${url}" } }
routes:
  it: { match: "GET /it/{id:[0-9]+}", to: it }
  deadly: { match: GET /deadly, to: it }
`,
  );

const scrape = async ({ client }: RolloutCloud) => {
  const families = parse(await client.call<string>("GET", "/metrics"));
  return (name: string) => families.find((it) => it.name === name)?.metrics ?? [];
};

const trace = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";

it("a collector gets spans and metrics of requests, and the tail and the front observe a gate's deaths", {
  timeout: 120_000,
}, async () => {
  const { url } = await runService((request, response) => {
    if (request.url !== "/a/it/999") response.end("ok");
  });
  const to = await collector();
  const it = await rolloutCloud({ "routes/a.yaml": tier(url) }, {}, { otlp: to.url, analytics: "postern" });
  const ask = async (path: string, traceparent: string) => {
    const response = await fetch(it.cloud.edge + path, { headers: { "x-device-id": "one", traceparent } });
    await response.arrayBuffer();
    return response.status;
  };
  expect(await ask("/a/it/7", `00-${trace}-${parent}-01`)).toBe(200);
  expect(await ask("/a/it/8", `00-${trace}-${parent}-00`)).toBe(200);
  // A client that disconnects before the response: no gate has died.
  const leaves = { signal: AbortSignal.timeout(500), headers: { traceparent: `00-${trace}-${parent}-00` } };
  await expect(fetch(`${it.cloud.edge}/a/it/999`, leaves)).rejects.toThrow();

  await it.upload("gate-a-local", dying);
  const [, { id: version }] = it.cloud.control.worker("gate-a-local").versions.slice(-2) as [unknown, { id: string }];
  await wrangler(targetOf(it.cloud.api), ["versions", "deploy", `${version}@100`, "--name", "gate-a-local", "-y"]);
  const deadTrace = trace.replace("0af", "1af");
  expect(await ask("/a/deadly", `00-${deadTrace}-${parent}-01`)).toBe(503);
  expect(await ask("/a/deadly", `00-${deadTrace}-${parent}-00`)).toBe(503);
  expect(await ask("/a/forged", `00-${deadTrace}-${parent}-00`)).toBe(403);

  await vi.waitFor(() => expect(to.spans).toHaveLength(2), { timeout: 10_000, interval: 200 });
  const [span, dead] = to.spans as [Span & { service: string }, Span & { service: string }];
  expect(span).toMatchObject({ service: "a", name: "GET /a/it/{id}", kind: 2, status: {} });
  expect(Buffer.from(span.traceId, "base64").toString("hex")).toBe(trace);
  expect(Buffer.from(span.parentSpanId ?? "", "base64").toString("hex")).toBe(parent);
  expect(attributesOf(span)).toMatchObject({
    "http.request.method": "GET",
    "http.response.status_code": "200",
    "http.route": "/a/it/{id}",
    "postern.route": "it",
    "postern.upstream": "it",
  });
  expect(dead).toMatchObject({ service: "a", status: { code: 2 } });
  expect(attributesOf(dead)).toMatchObject({ "error.type": "exception", "postern.verdict": "died" });

  await vi.waitFor(
    async () => {
      const seen = (await scrape(it))("postern_deaths_total").map(({ labels, value }) => [
        labels?.seen,
        labels?.version,
        value,
      ]);
      expect(seen.toSorted()).toEqual([
        ["front", version, "2"],
        ["tail", version, "2"],
      ]);
    },
    { timeout: 10_000, interval: 300 },
  );
  const family = await scrape(it);
  expect(family("postern_reports_refused_total")).toMatchObject([{ value: "1", labels: { tier: "a" } }]);
  expect(
    family("postern_front_requests_total").map(({ labels, value }) => [labels?.status, labels?.code, value]),
  ).toEqual(
    expect.arrayContaining([
      ["200", "", "2"],
      ["503", "gate-unavailable", "2"],
    ]),
  );
  expect(
    family("postern_requests_total").map(({ labels, value }) => [labels?.verdict, labels?.upstream, value]),
  ).toEqual([
    ["passed", "it", "2"],
    ["left", "it", "1"],
  ]);
  expect(family("postern_cpu_requests_total")).toMatchObject([{ value: "3", labels: { route: "it" } }]);

  expect(await it.client.call("GET", "/v1/tiers/a/cost")).toMatchObject([{ route: "it", requests: 3, cpuRequests: 3 }]);

  await vi.waitFor(() => expect(to.metrics.has("postern.requests")).toBe(true), { timeout: 15_000, interval: 300 });
  expect(to.metrics.get("postern.requests")).toMatchObject({ service: "a" });
  expect(to.wrong).toEqual([]);
});

/** A gate that serves for a while, and then crashes on each request. */
const tiring = `import { Behind as Gate } from "./gate.js";
let served = 0;
export class Behind extends Gate {
  fetch(request) {
    if (!request.headers.has("x-postern-smoke") && ++served > 20) throw new Error("dead");
    return super.fetch(request);
  }
}
export default { fetch: () => new Response(null, { status: 404 }) };
`;

it.runIf(full)(
  "a version that dies is rolled back by the front's observations, without a tail",
  { timeout: 240_000 },
  async () => {
    const { url } = await runService((_, response) => response.end("ok"));
    const release = `release: { steps: ["0%", "20%", "100%"], bake: 6s, tolerate: { errors: +2pp, p99: +400%, refusals: +2pp } }\n`;
    const it = await rolloutCloud({ "routes/a.yaml": `${tier(url)}${release}` });
    const load = startUsers(it.cloud.edge, "/a/it/7", 200, 250);
    await it.upload("gate-a-local", tiring);
    await it.cloud.control.remove("postern-tail-local", true);
    await it.start("a");
    const end = await it.settled("a", 150_000);
    await load.end();
    expect(end).toMatchObject({ status: "rolled-back", why: expect.stringMatching(/ requests? failed /) });
    const seen = (await scrape(it))("postern_deaths_total").map(({ labels }) => [labels?.seen, labels?.version]);
    expect(seen).toEqual([["front", end.subjects[0]?.canary]]);
  },
);
