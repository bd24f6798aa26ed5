/** Overlays only tighten a plan, and gates apply them without a release. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyForGates, messageForGates } from "../../../functions/feed/entries.ts";
import type { RouteClosure, RoutePlan } from "../../../functions/gateway/core/plan.ts";
import type { RevocationEntry } from "../../../functions/gateway/core/ports/revocations.ts";
import type { Deps } from "../../../functions/gateway/core/types.ts";
import { type FeedSource, live } from "../../../functions/gateway/live.ts";
import {
  applyOverlay,
  type EntryOfKind,
  type FeedMessage,
  type OverlayChange,
  type OverlayEntry,
} from "../../../functions/gateway/overlay/overlay.ts";
import { trafficShift } from "../../../functions/gateway/overlay/traffic-shift.ts";
import type { Parts } from "../../../functions/gateway/part.ts";
import { link } from "../../../functions/gateway/server.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

const { plan, parts } = planAndParts(
  { calm: () => () => undefined },
  {
    filters: { calm: { use: "calm", with: { limit: "5/s" } } },
    routes: {
      a: { match: "GET /a", filters: ["calm"] },
      b: { match: "GET /b" },
    },
  },
);

describe("an overlay", () => {
  it("closes a route, or the whole tier", () => {
    const one = applyOverlay(plan, [{ kind: "close", route: "a", closed: { detail: "later" } }]);
    expect([one.routes.a?.closed, one.routes.b?.closed]).toEqual([{ detail: "later" }, undefined]);
    const all = applyOverlay(plan, [{ kind: "close", route: null, closed: {} }]);
    expect([all.routes.a?.closed, all.routes.b?.closed]).toEqual([{}, {}]);
  });

  it("enforces only shadowed filters that refuse and do nothing else", () => {
    const calm = plan.filters.calm as NonNullable<typeof plan.filters.calm>;
    const acting = { ...calm, mode: "shadow" as const };
    const shadowed = { ...plan, filters: { quiet: { ...acting, enforceable: true as const }, acting } };
    const { filters } = applyOverlay(shadowed, [
      { kind: "enforce", filter: "quiet" },
      { kind: "enforce", filter: "acting" },
    ]);
    expect([filters.quiet?.mode, filters.acting?.mode]).toEqual(["enforce", "shadow"]);
  });

  it("adds a limit to existing ones", () => {
    const { filters } = applyOverlay(plan, [{ kind: "limit", filter: "calm", limit: "2/s" }]);
    expect(filters.calm).toMatchObject({ with: { limit: "5/s" }, limits: ["2/s"] });
  });

  it("passes a limit to the filter instance, besides its own", () => {
    const places: unknown[] = [];
    const calm: Parts["filters"][string] = (_, __, { id, limits }) => {
      places.push([id, limits]);
      return () => undefined;
    };
    const linked = (changes: readonly OverlayChange[]) =>
      link(applyOverlay(plan, changes), { ...parts, filters: { calm } }, fakeDeps());
    linked([]);
    linked([
      { kind: "limit", filter: "calm", limit: "2/s" },
      { kind: "limit", filter: "calm", limit: "9/day" },
    ]);
    expect(places).toEqual([
      ["calm", undefined],
      ["calm", ["2/s", "9/day"]],
    ]);
  });

  it("does not change a plan that it does not fit", () => {
    const changes: OverlayChange[] = [
      { kind: "close", route: "zz", closed: {} },
      { kind: "limit", filter: "constructor", limit: "1/s" },
      { kind: "enforce", filter: "zz" },
      { kind: "enforce", filter: "calm" },
    ];
    expect(applyOverlay(plan, changes)).toEqual(plan);
  });

  it("never opens anything: filters, modes, limits and closures never weaken", () => {
    const name = fc.constantFrom("a", "b", "calm", "quiet", "acting", "zz");
    const change: fc.Arbitrary<OverlayChange> = fc.oneof(
      fc.record({ kind: fc.constant("close" as const), route: fc.option(name), closed: fc.constant({}) }),
      fc.record({ kind: fc.constant("limit" as const), filter: name, limit: fc.constantFrom("1/s", "1000000/s") }),
      fc.record({ kind: fc.constant("enforce" as const), filter: name }),
      fc.record({ kind: fc.constant("cutover" as const), route: name, percent: fc.constantFrom("0%", "50%", "100%") }),
      fc.record({ kind: fc.constant("weights" as const), route: name, weights: fc.constant({ service: 1, other: 1 }) }),
    );
    const strength = { off: 0, shadow: 1, enforce: 2 };
    const calm = plan.filters.calm as NonNullable<typeof plan.filters.calm>;
    const acting = { ...calm, mode: "shadow" as const };
    const quiet = { ...acting, enforceable: true as const };
    const shadowed = { ...plan, filters: { ...plan.filters, quiet, acting } };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 10 }), (changes) => {
        const after = applyOverlay(shadowed, changes, trafficShift);
        for (const [id, filter] of Object.entries(shadowed.filters)) {
          const it = after.filters[id] as typeof filter;
          expect(strength[it.mode]).toBeGreaterThanOrEqual(strength[filter.mode]);
          if (id === "acting") expect(it.mode).toBe("shadow");
          expect([(it.with as { limit: string }).limit].flat()).toContain("5/s");
        }
        for (const [route, { filters }] of Object.entries(shadowed.routes))
          expect(after.routes[route]?.filters).toEqual(filters);
        const wereClosed = applyOverlay(
          { ...shadowed, routes: { a: { ...plan.routes.a, closed: {} } as never } },
          changes,
          trafficShift,
        );
        expect(wereClosed.routes.a?.closed).toBeDefined();
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

const closing = (until: number): OverlayEntry => ({
  id: "1",
  kind: "close",
  route: "b",
  closed: {},
  until,
  by: "alice",
  reason: "a test",
});

const gate = (copy: FeedMessage | undefined = undefined) => {
  const it = fakeDeps({ fetch: async () => new Response("ok") });
  const feed = {
    message: { revision: 0, entries: [] } as FeedMessage,
    reads: 0,
    isDown: false,
    deferred: [] as Promise<unknown>[],
  };
  const source: FeedSource = {
    read: async () => {
      feed.reads++;
      if (feed.isDown) throw new Error("gone");
      return feed.message;
    },
    copy: async () => (copy === undefined ? null : new Response(JSON.stringify(copy)).body),
    defer: (work) => void feed.deferred.push(work),
  };
  const serve = live(plan, parts, it, source);
  return {
    feed,
    fakeDeps: it,
    get: async (path = "/b") => {
      const { status } = await serve(new Request(`https://gate.example${path}`), caller);
      await Promise.all(feed.deferred.splice(0));
      return status;
    },
  };
};

it("a gate receives revocations like overlays, and does not relink for them", async () => {
  const revocation: RevocationEntry = { kind: "token", hash: "ab", until: Number.MAX_SAFE_INTEGER };
  const marks = { token: "ab", consumer: "" };
  let linked = 0;
  const it = fakeDeps({ fetch: async () => new Response("ok") });
  const counting = {
    ...parts,
    filters: {
      calm: (_: unknown, deps: Deps) => {
        linked++;
        return () =>
          deps.revoked?.().has(marks, undefined, deps.now()) ? new Response(null, { status: 401 }) : undefined;
      },
    },
  };
  const feed: { message: FeedMessage | undefined } = { message: { revision: 0, entries: [] } };
  const deferred: Promise<unknown>[] = [];
  const serve = live(plan, counting, it, {
    read: async () => feed.message ?? Promise.reject(new Error("gone")),
    copy: async () => null,
    defer: (work) => void deferred.push(work),
  });
  const get = async () => {
    const { status } = await serve(new Request("https://gate.example/a"), caller);
    await Promise.all(deferred.splice(0));
    return status;
  };
  expect([await get(), linked]).toEqual([200, 2]);
  feed.message = { revision: 1, entries: [], revoked: [revocation] };
  await it.advance(10_000);
  expect([await get(), linked]).toEqual([401, 2]);
  feed.message = undefined;
  await it.advance(60_000);
  expect([await get(), await get()]).toEqual([401, 401]);
  // An older feed sends no revocations.
  feed.message = { revision: 2, entries: [] };
  await it.advance(60_000);
  expect(await get()).toBe(200);
});

describe("a route that the overlay closes", () => {
  const retryAfterOf = async (entries: readonly OverlayEntry[], passedMs = 0, closed?: RouteClosure) => {
    const it = fakeDeps({ fetch: async () => new Response("ok") });
    const routes = { ...plan.routes, b: { ...(plan.routes.b as RoutePlan), ...(closed && { closed }) } };
    const source: FeedSource = {
      read: async () => ({ revision: 1, entries }),
      copy: async () => null,
      defer: () => {},
    };
    const serve = live({ ...plan, routes }, parts, it, source);
    const get = () => serve(new Request("https://gate.example/b"), caller);
    await get();
    await it.advance(passedMs);
    const response = await get();
    return [response.status, response.headers.get("retry-after")];
  };
  const start = fakeDeps().now();
  const closingFor = (ms: number, more: Partial<EntryOfKind<"close">> = {}): OverlayEntry =>
    ({ ...closing(start + ms), ...more }) as OverlayEntry;

  it("answers with the seconds until it opens, one at least, by the gate's clock", async () => {
    const entries = [closingFor(60_000)];
    expect(await retryAfterOf(entries)).toEqual([503, "60"]);
    expect(await retryAfterOf(entries, 1500)).toEqual([503, "59"]);
    expect(await retryAfterOf(entries, 59_999)).toEqual([503, "1"]);
    expect(await retryAfterOf(entries, 60_000)).toEqual([200, null]);
  });

  it("opens when the last entry that closes it ends", async () => {
    const tier = closingFor(90_000, { route: null });
    expect(await retryAfterOf([tier, closingFor(60_000)])).toEqual([503, "90"]);
    expect(await retryAfterOf([closingFor(60_000), tier])).toEqual([503, "90"]);
  });

  it("answers with the wait that its entry names instead, and with a week at most", async () => {
    expect(await retryAfterOf([closingFor(60_000, { closed: { "retry-after": "5s" } })])).toEqual([503, "5"]);
    expect(await retryAfterOf([closingFor(60_000, { closed: { "retry-after": "0s" } })])).toEqual([503, "1"]);
    expect(await retryAfterOf([closing(Number.MAX_SAFE_INTEGER)])).toEqual([503, String(7 * 86_400)]);
  });

  it("has no known end where the manifest closes it too: the wait is the manifest's", async () => {
    expect(await retryAfterOf([closingFor(60_000)], 0, {})).toEqual([503, null]);
    expect(await retryAfterOf([closingFor(60_000)], 0, { "retry-after": "1h" })).toEqual([503, "3600"]);
  });

  it("believes no end that stands in the closure itself", async () => {
    const forged = { until: 1e15 } as RouteClosure;
    expect(await retryAfterOf([closingFor(60_000, { closed: forged })])).toEqual([503, "60"]);
  });
});

describe("a gate", () => {
  it("reads the feed before the first request, then in the background every five seconds", async () => {
    const { feed, get, fakeDeps } = gate();
    expect([await get(), await get(), feed.reads]).toEqual([200, 200, 1]);
    feed.message = { revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] };
    await fakeDeps.advance(4999);
    expect([await get(), feed.reads]).toEqual([200, 1]);
    await fakeDeps.advance(1);
    expect([await get(), feed.reads, await get()]).toEqual([200, 2, 503]);
  });

  it("waits for a refresh when its message is ten seconds old", async () => {
    const { feed, get, fakeDeps } = gate();
    await get();
    feed.message = { revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] };
    await fakeDeps.advance(10_000);
    expect(await get()).toBe(503);
  });

  it("records a client that disconnects during a refresh, calls no service, and completes the refresh", async () => {
    let resolveFeed = (_: FeedMessage): void => {};
    const message = new Promise<FeedMessage>((resolve) => {
      resolveFeed = resolve;
    });
    const counted: unknown[] = [];
    const deferred: Promise<unknown>[] = [];
    const requests: unknown[] = [];
    const it = fakeDeps({
      fetch: async (request) => {
        requests.push(request);
        return new Response("ok");
      },
      recordRequest: (_, response, status, { route, outcome }) =>
        void counted.push([response, status, route.name, outcome.verdict, outcome.upstream]),
    });
    const serve = live(plan, parts, it, {
      read: () => message,
      copy: async () => null,
      defer: (work) => void deferred.push(work),
    });
    const leaving = ["/b", "/a", "/nowhere"].map((path) => {
      const client = new AbortController();
      const init = { method: "GET", signal: client.signal };
      return { client, answer: serve(new Request(`https://gate.example${path}`, init), caller) };
    });
    await it.advance(5);
    for (const { client } of leaving) client.abort();
    expect(it.lines).toMatchObject([
      { type: "access", route: "b", status: 499, verdict: "left", ms: 5 },
      { type: "access", route: "a", status: 499, verdict: "left" },
      { type: "access", route: null, status: 499, verdict: "left" },
    ]);
    resolveFeed({ revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] });
    await Promise.all(deferred);
    await it.advance(20);
    await Promise.all(leaving.map(({ answer }) => answer));
    expect([requests.length, it.lines.length]).toEqual([0, 3]);
    expect(counted).toEqual([
      [undefined, 499, "b", "left", undefined],
      [undefined, 499, "a", "left", undefined],
      [undefined, 499, "", "left", undefined],
    ]);
    // The next request is served with the feed's message.
    expect((await serve(new Request("https://gate.example/b"), caller)).status).toBe(503);
  });

  it("refreshes once for all waiting requests", async () => {
    const { feed, get, fakeDeps } = gate();
    const all = [get(), get(), get()];
    await fakeDeps.advance(0);
    await fakeDeps.advance(20);
    expect(await Promise.all(all)).toEqual([200, 200, 200]);
    expect(feed.reads).toBe(1);
  });

  it("keeps the last good message when the feed is down, logs it, and recovers", async () => {
    const { feed, get, fakeDeps } = gate();
    feed.message = { revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] };
    expect(await get()).toBe(503);
    feed.isDown = true;
    await fakeDeps.advance(60_000);
    expect(await get()).toBe(503);
    expect(fakeDeps.lines).toContainEqual(expect.objectContaining({ type: "fault", code: "feed-lost" }));
    feed.isDown = false;
    feed.message = { revision: 2, entries: [] };
    await fakeDeps.advance(5000);
    expect([await get(), await get()]).toEqual([503, 200]);
  });

  it("uses the copy when there is no message yet", async () => {
    const { feed, get } = gate({ revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] });
    feed.isDown = true;
    expect(await get()).toBe(503);
  });

  it("uses a copy in which a newer control has an entry of another kind, and control writes none for an older gate", async () => {
    const later = { kind: "later", id: "x", until: 1e15, by: "control", reason: "" } as never;
    const { feed, get } = gate({ revision: 1, entries: [later, closing(1e15)] });
    feed.isDown = true;
    expect(await get()).toBe(503);
    const measure: OverlayEntry = { kind: "measure", id: "m", until: 1e15, by: "control", reason: "" };
    const stored = { revision: 3, entries: [measure, closing(1e15)], revoked: [] };
    expect(copyForGates(stored)).toEqual({ ...stored, entries: [closing(1e15)] });
    expect(messageForGates(stored).entries).toEqual(stored.entries);
  });

  it("keeps the feed's message when the feed fails, whatever the copy contains", async () => {
    const { feed, get, fakeDeps } = gate({ revision: 99, entries: [], revoked: [] });
    feed.message = { revision: 1, entries: [closing(Number.MAX_SAFE_INTEGER)] };
    expect(await get()).toBe(503);
    feed.isDown = true;
    await fakeDeps.advance(60_000);
    expect([await get(), await get()]).toEqual([503, 503]);
  });

  it.each<readonly [string, unknown]>([
    ["no object", "copy"],
    ["an empty object", {}],
    ["no list", { revision: 1, entries: {} }],
    ["null for an entry", { revision: 1, entries: [null] }],
    ["an entry of no kind", { revision: 1, entries: [{ kind: "open", until: 1e15 }] }],
    ["a kind of the prototype's", { revision: 1, entries: [{ kind: "toString", until: 1e15 }] }],
    ["a closure that is none", { revision: 1, entries: [{ ...closing(1e15), closed: 5 }] }],
    [
      "a closure whose time is none",
      { revision: 1, entries: [{ ...closing(1e15), closed: { "retry-after": "soon" } }] },
    ],
    ["an entry without an end", { revision: 1, entries: [{ ...closing(1e15), until: null }] }],
    ["a limit that is none", { revision: 1, entries: [{ kind: "limit", filter: "calm", limit: "x", until: 1e15 }] }],
    [
      "weights that are none",
      { revision: 1, entries: [{ kind: "weights", route: "a", weights: { a: "1" }, until: 1e15 }] },
    ],
    ["a revocation that is none", { revision: 1, entries: [], revoked: [{ kind: "token", hash: 7, until: 1e15 }] }],
    ["a mebibyte long", { revision: 1, entries: [closing(1e15)], more: "x".repeat(2 ** 20) }],
    ["a thousand entries", { revision: 1, entries: Array.from({ length: 1000 }, () => closing(1e15)) }],
  ])("serves by its plan when the copy is %s", async (_, copy) => {
    const { feed, get } = gate(copy as FeedMessage);
    feed.isDown = true;
    expect([await get(), await get()]).toEqual([200, 200]);
  });

  it("drops an expired entry by its own clock", async () => {
    const { feed, get, fakeDeps } = gate();
    feed.message = { revision: 1, entries: [closing(fakeDeps.now() + 3000)] };
    expect(await get()).toBe(503);
    await fakeDeps.advance(3000);
    expect(await get()).toBe(200);
  });
});
