/** Feed messages: invalid entries are skipped. */
import { describe, expect, it } from "vitest";
import { live } from "../../../functions/gateway/live.ts";
import { parseFeedMessage } from "../../../functions/gateway/overlay/feed-message.ts";
import { applyOverlay } from "../../../functions/gateway/overlay/overlay.ts";
import { trafficShift } from "../../../functions/gateway/overlay/traffic-shift.ts";
import { caller, fakeDeps, planAndParts } from "../gate-harness.ts";

const until = Date.UTC(2026, 10, 2);
const about = { id: "one", until, by: "alice", reason: "a test" };
const close = { kind: "close", route: null, closed: { "retry-after": "1h", detail: "soon" }, ...about };

it.each([
  null,
  1,
  "x",
  [],
  {},
  { revision: 1 },
  { revision: 1, entries: {} },
  { revision: "1", entries: [] },
  { revision: 1, entries: [], revoked: 1 },
])("%j is not a feed message", (value) => {
  expect(() => parseFeedMessage(value)).toThrow();
});

describe("an entry", () => {
  it.each([
    close,
    { kind: "close", route: "all", closed: {}, ...about },
    { kind: "limit", filter: "limit", limit: "10/s", ...about },
    { kind: "enforce", filter: "limit", ...about },
    { kind: "cutover", route: "all", percent: "10%", ...about },
    { kind: "weights", route: "all", weights: { a: 1, b: 0 }, ...about },
    { kind: "drain", versions: ["v1"], ends: until, ...about },
    { ...close, until: 1e308 },
  ])("is accepted: %j", (entry) => {
    expect(parseFeedMessage({ revision: 1, entries: [entry] }).entries).toEqual([entry]);
  });

  it.each([
    null,
    7,
    { ...close, kind: "open" },
    { ...close, kind: "__proto__" },
    { ...close, until: -1 },
    { ...close, until: null },
    { ...close, until: "2027-01-01" },
    { ...close, closed: { "retry-after": "1e308s" } },
    { kind: "limit", filter: "limit", limit: "1/0s", ...about },
    { kind: "limit", filter: {}, limit: "1/s", ...about },
    { kind: "cutover", route: "all", percent: "101%", ...about },
    { kind: "weights", route: "all", weights: { a: 1e308 }, ...about },
    { kind: "weights", route: "all", weights: { a: 0 }, ...about },
    { kind: "weights", route: "all", weights: { a: { toString: 1 } }, ...about },
  ])("is skipped if invalid: %j", (entry) => {
    expect(parseFeedMessage({ revision: 1, entries: [entry, close] }).entries).toEqual([close]);
  });
});

it("a revocation has a hash and an expiry, and one of a consumer also `before`", () => {
  const token = { kind: "token", hash: "a", until };
  const consumer = { kind: "consumer", hash: "a", until, before: 1 };
  const odd = [
    null,
    { ...token, until: null },
    { ...token, hash: 1 },
    { ...consumer, before: "now" },
    { ...consumer, before: undefined },
  ];
  expect(parseFeedMessage({ revision: 1, entries: [], revoked: [...odd, token, consumer] }).revoked).toEqual([
    token,
    consumer,
  ]);
});

it("an entry may have unknown fields", () => {
  const limit = { use: "limit", kind: "guard", mode: "shadow", percent: "100%", with: {}, enforceable: true } as const;
  const { plan } = planAndParts({ limit: () => () => undefined }, { filters: { limit } });
  const odd = { kind: "enforce", filter: "limit", route: { toString: {} }, ...about };
  const { entries } = parseFeedMessage({ revision: 1, entries: [odd] });
  expect(applyOverlay(plan, entries, trafficShift).filters.limit?.mode).toBe("enforce");
});

it("a gate keeps its last message, or none, when the feed is invalid", async () => {
  const it = fakeDeps();
  const { plan, parts } = planAndParts({}, {});
  let message: unknown = { revision: 1, entries: [close] };
  let copy: unknown;
  const source = {
    read: async () => message as never,
    copy: async () => new Response(JSON.stringify(copy)).body,
    defer: () => {},
  };
  const deps = { ...it, fetch: async () => new Response("ok") };
  const serve = live(plan, parts, deps, source);
  const statusOf = async () => {
    await it.advance(20_000);
    return (await serve(new Request("https://gate.example/a"), caller)).status;
  };
  const statuses = [await statusOf()];
  for (const next of ["nonsense", {}, { revision: 1, entries: [{ ...close, until: -1 }] }, null]) {
    message = next;
    statuses.push(await statusOf());
  }
  // The feed's message takes precedence over a later copy.
  copy = { revision: 1, entries: [close] };
  statuses.push(await statusOf());
  copy = "nonsense";
  statuses.push(await statusOf());
  expect(statuses).toEqual([503, 503, 503, 200, 200, 200, 200]);
});
