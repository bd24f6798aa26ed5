/** The telemetry object in the runtime: stores counts, bounds and pushes them, deletes old ones. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Rollout } from "../../../../functions/control/model/rollout.ts";
import { deathsIn } from "../../../../functions/control/telemetry/counts/samples.ts";
import { diedInFront, openStore, throughFront } from "../../../../functions/control/telemetry/store.ts";
import { tierTelemetry } from "../../../../functions/control/wiring/telemetry.ts";
import type { Series } from "../../../../functions/gateway/observability/report.ts";

const begin = Date.UTC(2026, 10, 1);
const secondsMs = 1000;
const minutesMs = 60_000;
const hoursMs = 60 * minutesMs;

/** Opening it again is like a restart: only storage survives. */
const inDurableObject = <T>(work: (state: DurableObjectState) => T | Promise<T>): Promise<T> => {
  const { COUNTERS } = env as unknown as { readonly COUNTERS: DurableObjectNamespace };
  return runInDurableObject(COUNTERS.getByName(crypto.randomUUID()), (_, state) => work(state)) as Promise<T>;
};

const seriesOf = (over: Partial<Series> = {}): Series => ({
  route: "r",
  method: "GET",
  status: "200",
  verdict: "passed",
  by: "",
  code: "",
  upstream: "u",
  count: 1,
  latency: [[10, 1]],
  upstreamMs: 2,
  bytesIn: 3,
  bytesOut: 4,
  ...over,
});

const pausedRollout: Rollout = {
  ...{ id: "r1", tier: "wallet", subjects: [{ worker: "gate-wallet", stable: "v0", canary: "v1" }] },
  ...{ steps: [{ share: 10, bakeMs: 1, hold: false }], tolerate: { errors: "+1pp", p99: "+20%", refusals: "+1pp" } },
  ...{ smoke: [], by: "alice", reason: "", startedAt: begin, endedAt: null, status: "paused", step: 0, foreign: false },
  ...{ goal: { seq: 1, share: 10, done: [], attempts: 0, notBefore: 0 }, smoked: false, known: {}, stretches: [] },
  ...{ verdict: null, why: "bob paused it", patienceMs: 1, notes: [] },
};
const deathGroup = { requests: 1, errors: 1, refusals: 0, upstreamErrors: 0, abandoned: 0, latency: [] };
const emptySample = { groups: {}, cold: 0 };
const tierTallies = (by = 1) => ({ tier: "wallet", tallies: [{ name: "cpu" as const, labels: { route: "r" }, by }] });

describe("a tier's counts", () => {
  it("survive a restart, and continue to grow", () =>
    inDurableObject(({ storage }) => {
      openStore(storage.sql).take("v1", emptySample, [seriesOf()], begin, tierTallies(1.5));
      const again = openStore(storage.sql);
      again.take("v1", emptySample, [seriesOf({ count: 2 })], begin + minutesMs, tierTallies(2));
      expect(again.tier()).toBe("wallet");
      expect(again.series()).toMatchObject([
        { version: "v1", count: 3, latency: [[10, 2]], bytesOut: 8, since: begin, heard: begin + minutesMs },
      ]);
      expect(again.tallies()).toMatchObject([{ name: "cpu", version: "v1", value: 3.5, since: begin }]);
    }));

  it("have the front's deaths under a name of their own, so that its statuses do not count them twice", () =>
    inDurableObject(({ storage }) => {
      const sample = { groups: { "3": { ...deathGroup, requests: 9 } }, cold: 0 };
      const fronts = [{ version: "f1", sample, deaths: deathsIn([3]) }];
      openStore(storage.sql).hear([{ tier: "front", version: "", tallies: [], fronts }], begin);
      const between = (name: string) => openStore(storage.sql).between(name, begin, begin + minutesMs).groups["3"];
      expect(between(throughFront("f1"))).toMatchObject({ requests: 9, errors: 1 });
      expect(between(diedInFront("f1"))).toMatchObject({ requests: 1, errors: 1 });
      expect(between("f1")).toBeUndefined();
    }));

  it("have the causes of refusals and failures, by time", () =>
    inDurableObject(({ storage }) => {
      const refused = seriesOf({ status: "404", verdict: "refused", code: "route-unknown", upstream: "", count: 7 });
      const late = seriesOf({ status: "504", verdict: "failed", by: "u", code: "upstream-timeout", count: 2 });
      const gone = seriesOf({ status: "499", verdict: "left", count: 3 });
      const store = openStore(storage.sql);
      store.take("v1", emptySample, [seriesOf(), refused, late], begin);
      store.take("v1", emptySample, [refused, gone], begin + minutesMs);
      const causes = (until: number) =>
        openStore(storage.sql)
          .between("v1", begin, until)
          .causes?.map(({ kind, code, by, count }) => [kind, code, by, count]);
      expect(causes(begin + minutesMs)).toEqual([
        ["refusals", "route-unknown", "", 7],
        ["errors", "upstream-timeout", "u", 2],
      ]);
      const all = [
        ["refusals", "route-unknown", "", 14],
        ["errors", "upstream-timeout", "u", 2],
        ["abandoned", "", "", 3],
      ];
      expect(causes(begin + 2 * minutesMs)).toEqual(all);
      // Coarse periods keep them.
      store.sweep(begin + hoursMs);
      expect(causes(begin + 2 * minutesMs)).toEqual(all);
      // Requests of a cutover's gateways are in the gate's series already.
      store.take("r=gate", emptySample, [], begin, undefined, [refused]);
      expect(store.between("r=gate", begin, begin + minutesMs).causes).toMatchObject([{ count: 7 }]);
      expect(store.between("nothing", begin, begin + minutesMs)).toEqual({ groups: {}, cold: 0 });
    }));

  it("have the service of its own 4xx, which no filter refused", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      store.take("v1", emptySample, [seriesOf({ status: "404", count: 5 })], begin);
      expect(store.between("v1", begin, begin + minutesMs).causes).toMatchObject([
        { kind: "clientErrors", route: "r", upstream: "u", status: "404", count: 5 },
      ]);
    }));

  it("name the route and upstream of bodies that failed after the headers", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const labels = { route: "rates", upstream: "fx", how: "cut" };
      const tallies = [{ name: "bodies" as const, labels, by: 3 }];
      store.take("v1", emptySample, [seriesOf()], begin, { tier: "wallet", tallies });
      expect(store.between("v1", begin, begin + minutesMs).causes).toMatchObject([
        { kind: "errors", route: "rates", by: "fx", code: "body-cut", upstream: "fx", count: 3 },
      ]);
    }));

  it("have a bounded number of causes, the most frequent, and lose no request", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      for (let turn = 0; turn < 3; turn++)
        store.take(
          "v1",
          emptySample,
          Array.from({ length: 200 }, (_, index) =>
            seriesOf({
              route: `r${turn}-${index}`.padEnd(200, "x"),
              verdict: "refused",
              status: "403",
              count: index + 1,
            }),
          ),
          begin + turn * minutesMs,
        );
      const { causes = [] } = store.between("v1", begin, begin + hoursMs);
      expect(causes.length).toBeLessThanOrEqual(40);
      expect(causes.reduce((sum, { count }) => sum + count, 0)).toBe(3 * 20_100);
      expect(Math.max(...causes.map(({ route }) => route.length))).toBe(100);
      expect(causes.filter(({ route, count }) => route !== "other" && count < 150)).toEqual([]);
    }));

  it("are bounded, and lose no request", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      for (let turn = 0; turn < 13; turn++) {
        const some = Array.from({ length: 500 }, (_, index) => seriesOf({ route: `r${turn}-${index}` }));
        const tallies = some.map(({ route }) => ({ name: "degraded" as const, labels: { route, filter: "f" }, by: 1 }));
        store.take(`v${turn}`, emptySample, some, begin, { tier: "wallet", tallies });
      }
      const series = store.series();
      expect(series).toHaveLength(5001);
      expect(series.reduce((sum, { count }) => sum + count, 0)).toBe(6500);
      expect(series.find(({ route }) => route === "other")).toMatchObject({ version: "other", count: 1500 });
      const tallies = store.tallies();
      expect(tallies).toHaveLength(5001);
      expect(tallies.reduce((sum, { value }) => sum + value, 0)).toBe(6500);
    }));

  it("are bounded when a gate invents versions; known versions stay", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const sample = { groups: { 1: { ...deathGroup, requests: 2 } }, cold: 0 };
      store.take("v-true", sample, [], begin);
      for (let count = 0; count < 2000; count++) store.take(`made-up-${count}`, sample, [seriesOf()], begin + count);
      store.take("v-true", sample, [], begin + minutesMs);
      const again = openStore(storage.sql);
      again.take("made-up-again", sample, [], begin);
      const stored = storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM samples").one().n;
      expect(stored).toBe(301);
      const known = store.between("v-true", begin, begin + hoursMs);
      expect(known.groups[1]?.requests).toBe(4);
      // A day later new versions are accepted again.
      again.sweep(begin + 25 * hoursMs);
      again.take("v-next", sample, [], begin + 25 * hoursMs);
      expect(again.between("v-next", begin, begin + 26 * hoursMs).groups[1]?.requests).toBe(2);
    }));

  it("are deleted by version, a day after its last report", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      store.take("v1", emptySample, [seriesOf({ route: "rare" }), seriesOf()], begin);
      store.take("v2", emptySample, [seriesOf()], begin);
      store.take("v1", emptySample, [seriesOf()], begin + 20 * hoursMs);
      store.sweep(begin + 25 * hoursMs);
      expect(store.series().map(({ version, route, count }) => [version, route, count])).toEqual([
        ["v1", "r", 2],
        ["v1", "rare", 1],
      ]);
      store.sweep(begin + 45 * hoursMs);
      expect(store.series()).toEqual([]);
    }));

  it("contain a death once if two observers reported it, and fully if only one did", () =>
    inDurableObject(({ storage }) => {
      const store = openStore(storage.sql);
      const deathReport = (by: "tail" | "front", version: string, groups: number[]) => ({
        tier: "wallet",
        version,
        tallies: [],
        deaths: { seen: by, sample: deathsIn(groups) },
      });
      store.take("v1", { groups: { 1: { ...deathGroup, requests: 10, errors: 1 } }, cold: 0 }, [], begin);
      store.hear([deathReport("tail", "v1", [1, 2, 3]), deathReport("front", "v1", [4])], begin);
      store.hear([deathReport("front", "v1", [5, 6]), deathReport("front", "v2", [7])], begin + 5 * secondsMs);
      const sumOf = (version: string, key: "requests" | "errors") =>
        Object.values(store.between(version, begin, begin + minutesMs).groups).reduce((sum, it) => sum + it[key], 0);
      expect([sumOf("v1", "requests"), sumOf("v1", "errors"), sumOf("v2", "errors")]).toEqual([13, 4, 1]);
    }));

  it("of an earlier release can be read", () =>
    inDurableObject(({ storage }) => {
      openStore(storage.sql);
      const { method, upstream, ...before } = seriesOf({ status: "2xx" });
      storage.sql.exec("INSERT INTO series VALUES ('v0', 'key', ?, ?)", begin, JSON.stringify(before));
      expect(openStore(storage.sql).series()).toMatchObject([
        { method: "", upstream: "", status: "2xx", since: begin },
      ]);
    }));
});

const plan = { environment: "test", scheme: "https", tiers: {} };

/** A collector that gives these answers in turn. */
const telemetryHarness = (state: DurableObjectState, answers: readonly (Response | Error)[]) => {
  const requests: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
  const lines: object[] = [];
  const clock = { now: begin };
  const remaining = [...answers];
  const running = { state: null as null | "paused" | "unavailable" };
  const object = tierTelemetry(plan, {
    storage: state.storage,
    collector: {
      url: "https://collector.example/otlp/",
      secret: "OTLP_HEADERS",
      headers: "authorization=Bearer%20s3cret,x-team=a",
      send: async (url, init) => {
        requests.push({ url, headers: new Headers(init.headers), body: String(init.body) });
        const answer = remaining.shift() ?? new Response("{}");
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    rollouts: async () => {
      if (running.state === "unavailable") throw new Error("the object restarts");
      return running.state === null ? [] : [pausedRollout];
    },
    now: () => clock.now,
    log: (line) => void lines.push(line),
  });
  const round = async (ms = 10 * secondsMs) => {
    clock.now += ms;
    await object.alarm();
  };
  const tallies = async () =>
    Object.fromEntries(
      object
        .tallies()
        .filter(({ name }) => name.startsWith("push"))
        .map(({ name, labels, value }) => [labels.outcome ?? name, value]),
    );
  const takeReport = () => object.take("v1", emptySample, [seriesOf()], clock.now, { tier: "wallet", tallies: [] });
  return { object, requests, lines, clock, running, round, tallies, takeReport };
};

describe("a collector", () => {
  it("gets metrics every ten seconds with the secret's headers, while there are reports", () =>
    inDurableObject(async (state) => {
      const { requests, takeReport, round } = telemetryHarness(state, []);
      await takeReport();
      expect(await state.storage.getAlarm()).not.toBeNull();
      await round();
      await round();
      expect(requests.map(({ url }) => url).slice(0, 2)).toEqual([
        "https://collector.example/otlp/v1/metrics",
        "https://collector.example/otlp/v1/metrics",
      ]);
      expect(Object.fromEntries(requests[0]?.headers ?? [])).toMatchObject({
        authorization: "Bearer s3cret",
        "x-team": "a",
        "content-type": "application/json",
      });
      await round(11 * minutesMs);
      const before = requests.length;
      await round();
      expect(requests).toHaveLength(before);
    }));

  it("that fails is retried with a growing delay, and the next sums contain what it missed", () =>
    inDurableObject(async (state) => {
      const { requests, takeReport, round, tallies, lines } = telemetryHarness(state, [
        new Error("refused"),
        new Response("", { status: 503 }),
      ]);
      await takeReport();
      await round();
      await round();
      expect(requests).toHaveLength(1);
      await round();
      expect(requests).toHaveLength(2);
      await round();
      expect(requests).toHaveLength(2);
      await takeReport();
      await round(40 * secondsMs);
      expect(requests.length).toBeGreaterThan(2);
      const [last] = requests.filter(({ body }) => body.includes("postern.requests")).slice(-1);
      expect(last?.body).toContain('"asInt":"2"');
      expect(await tallies()).toMatchObject({ failed: 2, taken: requests.length - 2 });
      expect(lines).toMatchObject([{ type: "fault", tier: "wallet" }, { type: "fault" }]);
    }));

  it("is not called before its Retry-After", () =>
    inDurableObject(async (state) => {
      const { requests, takeReport, round } = telemetryHarness(state, [
        new Response("", { status: 429, headers: { "retry-after": "120" } }),
      ]);
      await takeReport();
      await round();
      await round(110 * secondsMs);
      expect(requests).toHaveLength(1);
      await round(11 * secondsMs);
      expect(requests.length).toBeGreaterThan(1);
    }));

  it("that rejects a part, or everything, causes a count of lost items", () =>
    inDurableObject(async (state) => {
      const { takeReport, round, tallies } = telemetryHarness(state, [
        Response.json({ partialSuccess: { rejectedDataPoints: "2", errorMessage: "too old" } }),
        new Response("", { status: 400 }),
      ]);
      await takeReport();
      await round();
      expect(await tallies()).toMatchObject({ taken: 1, "push-lost": 2 });
      await round();
      expect(await tallies()).toMatchObject({ failed: 1, "push-lost": expect.any(Number) });
      expect((await tallies())["push-lost"]).toBeGreaterThan(2);
    }));

  it("that redirects is not followed, and no log line contains a header", () =>
    inDurableObject(async (state) => {
      const { requests, takeReport, round, lines } = telemetryHarness(state, [
        Response.redirect("https://elsewhere.example/", 307),
      ]);
      await takeReport();
      await round();
      expect(requests).toHaveLength(1);
      expect(JSON.stringify(lines)).not.toContain("s3cret");
    }));

  it("gets the state of a rollout, also while its tier has no requests", () =>
    inDurableObject(async (state) => {
      const { requests, running, round, takeReport } = telemetryHarness(state, []);
      await takeReport();
      running.state = "paused";
      await round();
      const names = () => (requests.at(-1)?.body ?? "").match(/postern\.rollout\.[a-z.]+/g) ?? [];
      expect(new Set(names())).toEqual(
        new Set(["state", "state.age", "share", "verdict"].map((name) => `postern.rollout.${name}`)),
      );
      await round(hoursMs);
      expect(requests).toHaveLength(2);
      expect(names().length).toBeGreaterThan(0);
      running.state = null;
      await round(hoursMs);
      expect(requests).toHaveLength(2);
      // Counts are pushed even if the rollouts cannot be read.
      running.state = "unavailable";
      await takeReport();
      await round();
      expect(requests).toHaveLength(3);
    }));

  it("with malformed headers is not called", () =>
    inDurableObject(async (state) => {
      const lines: object[] = [];
      const object = tierTelemetry(plan, {
        storage: state.storage,
        collector: {
          url: "https://collector.example",
          secret: "OTLP_HEADERS",
          headers: "s3cret",
          send: () => Promise.reject(new Error("asked")),
        },
        rollouts: async () => [],
        now: () => begin,
        log: (line) => void lines.push(line),
      });
      await object.take("v1", emptySample, [seriesOf()], begin, { tier: "wallet", tallies: [] });
      await object.alarm();
      expect(lines).toMatchObject([
        { cause: "metrics were not pushed: entry 1 of the collector's headers is not name=value" },
      ]);
      expect(JSON.stringify(lines)).not.toContain("s3cret");
    }));
});
