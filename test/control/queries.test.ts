/** Prometheus queries of a release: valid answers, and servers that fail. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Finding } from "../../functions/control/model/finding.ts";
import { type QueryResult, queryPrometheus } from "../../functions/control/telemetry/prometheus-query.ts";
import { evaluateQueries } from "../../functions/control/verdict/queries.ts";
import { rolloutHarness, runFor } from "./rollout-harness.ts";

interface ReceivedRequest {
  readonly url: URL;
  readonly headers: http.IncomingHttpHeaders;
}

/** Answers as configured, and records what it received. */
const server = async (answer: (response: http.ServerResponse) => void) => {
  const received: ReceivedRequest[] = [];
  const it = http.createServer((request, response) => {
    received.push({ url: new URL(request.url ?? "/", "http://it"), headers: request.headers });
    answer(response);
  });
  await new Promise<void>((done) => it.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    it.closeAllConnections();
    it.close();
  });
  return { received, url: `http://127.0.0.1:${(it.address() as AddressInfo).port}` };
};

/** A response in the format of the HTTP API's documentation. */
const success = (data: object): string => JSON.stringify({ status: "success", data });
const vector = (...values: string[]) =>
  success({
    resultType: "vector",
    result: values.map((value) => ({ metric: { job: "it" }, value: [1435781451.781, value] })),
  });

const queryAnswered = async (status: number, body: string, headers: Record<string, string> = {}) => {
  const it = await server((response) => response.writeHead(status, headers).end(body));
  return { ...it, result: await queryPrometheus("up", { url: it.url, secret: null }, "a-token-of-ours", fetch) };
};

describe("a figure", () => {
  it("is requested by the HTTP API, under the base URL's path", async () => {
    const { received, url } = await server((response) => response.end(vector("0.25")));
    const query = 'sum(rate(paid{version=~"a|b"}[5m])) + 1';
    expect(await queryPrometheus(query, { url: `${url}/prometheus/`, secret: null }, "a-token", fetch)).toEqual({
      value: 0.25,
    });
    expect(received[0]?.url.pathname).toBe("/prometheus/api/v1/query");
    expect(Object.fromEntries(received[0]?.url.searchParams ?? [])).toEqual({ query, timeout: "3000ms" });
    expect(received[0]?.headers).toMatchObject({ authorization: "Bearer a-token", accept: "application/json" });
  });

  it.each([
    ["a vector of one", vector("1e-05"), { value: 0.00001 }],
    ["a scalar", success({ resultType: "scalar", result: [1, "7"] }), { value: 7 }],
    ["nothing", vector(), { none: "the result is empty" }],
    ["several", vector("1", "2"), { none: "the result has 2 values, not one; aggregate them, for example with sum()" }],
    ["no number", vector("NaN"), { none: "the result NaN is not a number" }],
    ["a share of no requests", vector("+Inf"), { none: "the result +Inf is not a number" }],
    ["an empty text", vector(""), { none: "the result  is not a number" }],
    [
      "a matrix",
      success({ resultType: "matrix", result: [] }),
      { none: "the result is neither a scalar nor a vector" },
    ],
    ["no data", JSON.stringify({ status: "success" }), { none: "the result is neither a scalar nor a vector" }],
    [
      "null in a vector",
      success({ resultType: "vector", result: [null] }),
      { none: "the result undefined is not a number" },
    ],
    ["null", "null", { none: "Prometheus answered 200 with an invalid body" }],
    ["a page", "<html>", { none: "Prometheus answered 200 with an invalid body" }],
  ])("is read from %s, or the reason for its absence", async (_, body, expected) => {
    expect((await queryAnswered(200, body)).result).toEqual(expected);
  });

  it.each([
    [400, { status: "error", errorType: "bad_data", error: "parse error" }, "Prometheus answered 400: parse error"],
    [503, "down", "Prometheus answered 503 with an invalid body"],
    [200, { status: "error", error: "a-token-of-ours is wrong" }, "Prometheus answered 200: … is wrong"],
    [401, { error: "x".repeat(9999) }, `Prometheus answered 401: ${"x".repeat(175)}`],
    [422, { status: "error", error: { a: 1 } }, "Prometheus answered 422"],
  ])("is missing if Prometheus answers %i; no reason contains the token", async (status, body, none) => {
    expect((await queryAnswered(status, JSON.stringify(body))).result).toEqual({ none });
  });

  it("is not requested from a redirect's target", async () => {
    const other = await server((response) => response.end(vector("0")));
    const { result } = await queryAnswered(302, "", { location: `${other.url}/api/v1/query` });
    expect(result).toHaveProperty("none");
    expect(other.received).toEqual([]);
  });

  it("is missing if the answer is too long, cut off or late", async () => {
    expect((await queryAnswered(200, vector("1", "x".repeat(70_000)))).result).toHaveProperty("none");
    const cut = await server((response) => {
      response.writeHead(200, { "content-length": "500" }).write(vector("1").slice(0, 20));
      response.destroy();
    });
    expect(await queryPrometheus("up", { url: cut.url, secret: null }, undefined, fetch)).toHaveProperty("none");
    const mute = await server(() => {});
    const began = performance.now();
    expect(await queryPrometheus("up", { url: mute.url, secret: null }, undefined, fetch)).toHaveProperty("none");
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await queryPrometheus("up", { url: "http://127.0.0.1:1", secret: null }, undefined, fetch)).toHaveProperty(
      "none",
    );
  });
});

const subjects = [
  { worker: "gate-a", stable: "s1", canary: "c1" },
  { worker: "gate-a--hot", stable: "s2", canary: "c2" },
];

/** A rollout that checks one query at these times, in seconds, and receives these values. */
const evaluateAt = async (query: object, results: readonly QueryResult[], seconds: readonly number[], since = 0) => {
  const queries: string[] = [];
  let verdict: { readonly verdict: "not-enough"; readonly findings: readonly Finding[] } | null = null;
  const found: Finding[] = [];
  for (const second of seconds) {
    const findings = await evaluateQueries(
      {
        tier: "a",
        subjects,
        queries: { it: { query: "up", every: "15s", ...query } },
        stretches: [{ share: 10, since, until: null }],
        verdict,
      },
      async (promql) => {
        queries.push(promql);
        return results[queries.length - 1] ?? { none: "the result is empty" };
      },
      second * 1000,
    );
    verdict = { verdict: "not-enough", findings };
    found.push(...findings);
  }
  return { queryAnswered: queries, verdicts: found.map(({ verdict }) => verdict), whys: found.map(({ why }) => why) };
};

describe("a query", () => {
  it("contains tier and versions, those of several Workers as alternatives", async () => {
    const query = '{{tier}}{version=~"{{canary}}"} / {{tier}}{version=~"{{stable}}"}';
    const { queryAnswered } = await evaluateAt({ query, max: 1 }, [{ value: 1 }], [0]);
    expect(queryAnswered).toEqual(['a{version=~"c1|c2"} / a{version=~"s1|s2"}']);
  });

  it("fails a version after three figures out of bounds in a row", async () => {
    const { verdicts, whys } = await evaluateAt(
      { max: 0.01 },
      [{ value: 0.02 }, { value: 0.01 }, { value: 0.02 }, { value: 0.02 }, { value: 0.03 }],
      [0, 15, 30, 45, 60],
    );
    expect(verdicts).toEqual(["not-enough", "pass", "not-enough", "not-enough", "fail"]);
    expect(whys.at(-1)).toBe("query it: 0.03 where 0.01 is the maximum; out of bounds 3 of 3 times in a row");
  });

  it("is not evaluated before its interval, and a value does not count twice", async () => {
    const { queryAnswered, verdicts } = await evaluateAt(
      { max: 1 },
      [{ value: 2 }, { value: 2 }],
      [0, 2, 4, 14, 15, 17],
    );
    expect(queryAnswered).toHaveLength(2);
    expect(verdicts).toEqual(Array(6).fill("not-enough"));
  });

  it("is evaluated again after a change of the share", async () => {
    expect((await evaluateAt({ max: 1 }, [{ value: 0 }, { value: 0 }], [0, 2], 1000)).queryAnswered).toHaveLength(2);
  });

  it("stays undecided without a value, which neither counts nor resets", async () => {
    const noValue: QueryResult = { none: "the result is empty" };
    const { verdicts } = await evaluateAt(
      { min: 5 },
      [{ value: 1 }, noValue, { value: 1 }, noValue, { value: 1 }],
      [0, 15, 30, 45, 60],
    );
    expect(verdicts).toEqual(["not-enough", "not-enough", "not-enough", "not-enough", "fail"]);
  });

  it("may have two bounds, and names the one that was broken", async () => {
    const { verdicts, whys } = await evaluateAt(
      { min: 5, max: 10 },
      [{ value: 7 }, { value: 4 }, { value: 11 }],
      [0, 15, 30],
    );
    expect(verdicts).toEqual(["pass", "not-enough", "not-enough"]);
    expect(whys[1]).toContain("4 where 5 is the minimum");
    expect(whys[2]).toContain("11 where 10 is the maximum");
  });
});

describe("a rollout with a query", () => {
  const finding = (verdict: Finding["verdict"]): Finding => ({
    criterion: "query",
    verdict,
    stable: null,
    canary: 1,
    low: null,
    high: null,
    tolerate: 0,
    why: "query it: 1 where 0 is the maximum",
  });

  it("is rolled back by a failing query, though all else passes", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    it.scenario.queries = [finding("fail")];
    await runFor(it, 5_000);
    expect(it.state()).toMatchObject({ status: "rolled-back", why: "query it: 1 where 0 is the maximum" });
  });

  it("waits for an open query, and finally for a person", async () => {
    const it = rolloutHarness();
    it.scenario.queries = [finding("not-enough")];
    await it.start();
    await runFor(it, 60_000);
    expect(it.share()).toBe(1);
    expect(it.state().status).toBe("paused");
  });
});
