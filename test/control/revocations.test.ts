/** Revocations: roles, validation, what gates get, and the bounds. */

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { controlAudience } from "../../functions/control/api/operators.ts";
import { addOverlayRoutes } from "../../functions/control/api/overlays.ts";
import type { ControlPorts } from "../../functions/control/api/ports.ts";
import { addRevocationRoutes } from "../../functions/control/api/revocations.ts";
import { adminApi } from "../../functions/control/api/router.ts";
import type { ControlPlan, Role } from "../../functions/control/model/plan.ts";
import { amendEntries, type Feed } from "../../functions/control/overlay/feed-client.ts";
import { feedStoreOn, messageForGates } from "../../functions/feed/entries.ts";
import { maxRevocations, type StoredRevocation } from "../../functions/gateway/core/ports/revocations.ts";
import type { OverlayEntry } from "../../functions/gateway/overlay/overlay.ts";

const { publicKey, privateKey } = await generateKeyPair("EdDSA");
const { x: key = "" } = await exportJWK(publicKey);
const issuer = "https://id.example";
const hash = (index: number) => index.toString(16).padStart(64, "0");
const minute = 60_000;

const controlApi = () => {
  let now = Date.UTC(2026, 10, 1);
  let ids = 0;
  const stored = new Map<string, unknown>();
  const storage = {
    get: async (name: string) => structuredClone(stored.get(name)),
    put: async (name: string, value: unknown) => void stored.set(name, structuredClone(value)),
  };
  const entries = feedStoreOn(storage as never, () => now);
  const feed: Feed = { read: () => entries.read(), write: (_, ...args) => entries.write(...args) };
  const lines: Record<string, unknown>[] = [];
  const ports = {
    overlay: feed,
    ledger: {
      spend: async () => "spent",
      write: async (line: object) => lines.push({ ...line }),
      settle: async (id: number, outcome: string) => void Object.assign(lines[id - 1] ?? {}, { outcome }),
    },
    now: () => now,
    uuid: () => `${String(++ids).padStart(8, "0")}-0000`,
    log: () => {},
  } as unknown as ControlPorts;
  const operators = Object.fromEntries((["viewer", "operator", "admin"] as const).map((role) => [role, { key, role }]));
  const tier = {
    level: "standard",
    routes: { r: {} },
    filters: { limit: { use: "rate-limit", mode: "enforce", limit: "9/s" } },
    issuers: [issuer],
  };
  const plan = {
    environment: "test",
    operators,
    tiers: { a: tier, b: { ...tier, issuers: [] } },
  } as unknown as ControlPlan;
  const app = adminApi(plan, ports);
  addOverlayRoutes(app, plan, ports);
  addRevocationRoutes(app, plan, ports);
  const request = async (
    role: Role,
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) => {
    const seconds = Math.floor(now / 1000);
    const token = await new SignJWT({ env: "test" })
      .setProtectedHeader({ alg: "EdDSA", kid: role })
      .setSubject(role)
      .setJti(crypto.randomUUID())
      .setAudience(controlAudience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .sign(privateKey);
    const response = await app.request(`/v1/tiers/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { detail?: string; revision: number; revoked: StoredRevocation[] };
    return { status: response.status, ...answer };
  };
  const add = (more: object = {}, role: Role = "operator", tier = "a", headers = {}) =>
    request(
      role,
      "POST",
      `${tier}/revocations`,
      { kind: "token", issuer, hash: hash(1), for: "1h", reason: "lost", ...more },
      headers,
    );
  return { request, add, lines, feed, now: () => now, advance: (ms: number) => (now += ms) };
};

describe("a revocation", () => {
  it("is stored with operator and reason, and sent to gates without them", async () => {
    const { add, request, lines, feed, now } = controlApi();
    expect(await add()).toMatchObject({
      status: 200,
      revision: 1,
      revoked: [
        { kind: "token", id: "00000001", hash: hash(1), until: now() + 60 * minute, by: "operator", reason: "lost" },
      ],
    });
    expect((await request("viewer", "GET", "a/revocations")).revoked).toHaveLength(1);
    expect(lines).toMatchObject([
      { by: "operator", what: "revoke token", tier: "a", reason: "lost", outcome: "revision 1" },
    ]);
    expect(messageForGates(await feed.read("a"))).toEqual({
      revision: 1,
      entries: [],
      revoked: [{ kind: "token", hash: hash(1), until: now() + 60 * minute }],
    });
  });

  it("of a consumer covers tokens issued until now, or until a given time", async () => {
    const { add, now, advance } = controlApi();
    const seconds = now() / 1000;
    const [of] = (await add({ kind: "consumer" })).revoked;
    expect(of).toMatchObject({ kind: "consumer", before: seconds });
    // Revoked again with an earlier time and a shorter lifetime, which shortens nothing.
    advance(minute);
    expect((await add({ kind: "consumer", before: 5, for: "1m" })).revoked).toMatchObject([
      { before: seconds, until: of?.until },
    ]);
  });

  it("ends when it expires, or when an admin removes it", async () => {
    const { add, request, advance } = controlApi();
    await add();
    await add({ hash: hash(2), for: "2h" });
    advance(60 * minute);
    const { revoked } = await request("viewer", "GET", "a/revocations");
    expect(revoked.map((it) => it.hash)).toEqual([hash(2)]);
    const path = `a/revocations/${revoked[0]?.id}`;
    expect(await request("operator", "DELETE", path)).toMatchObject({
      status: 403,
      detail: expect.stringContaining("requires the role admin"),
    });
    expect(await request("admin", "DELETE", path)).toMatchObject({ status: 200, revoked: [] });
    expect(await request("admin", "DELETE", path)).toMatchObject({ status: 404 });
  });

  it("does not affect the overlay, nor the overlay revocations", async () => {
    const { add, request, feed } = controlApi();
    await add();
    const close = { kind: "close", route: "r", for: "5m", reason: "wrong" };
    const answer = await request("operator", "POST", "a/overlay", close);
    expect([answer.status, answer.revoked]).toEqual([200, undefined]);
    await add({ hash: hash(2) });
    const state = await feed.read("a");
    expect([state.revision, state.entries.length, state.revoked?.length]).toEqual([3, 1, 2]);
  });

  it.each([
    ["by a viewer", {}, "viewer", "a", {}, 403, "viewer is viewer"],
    ["of an unknown tier", {}, "operator", "c", {}, 404, 'no tier "c"; tiers are a, b'],
    [
      "of an issuer that the tier does not trust",
      { issuer: "https://evil.example" },
      "operator",
      "a",
      {},
      404,
      "it trusts https://id.example",
    ],
    ["of a tier that verifies no tokens", {}, "operator", "b", {}, 404, "it trusts none"],
    ["for longer than 30 days", { for: "31d" }, "operator", "a", {}, 400, "30 days at most"],
    ["without a reason", { reason: "" }, "operator", "a", {}, 400, "a reason is required"],
    ["of a token in clear", { hash: "eyJhbGciOi" }, "operator", "a", {}, 400, "SHA-256"],
    ["with a key that nobody knows", { jti: "t" }, "operator", "a", {}, 400, "jti"],
    ["of a revision that is over", {}, "operator", "a", { "if-match": '"7"' }, 412, "at revision 0"],
  ] as const)("%s is refused", async (_, more, role, tier, headers, status, detail) => {
    const { add, feed } = controlApi();
    const answer = await add(more, role, tier, headers);
    expect([answer.status, answer.detail]).toEqual([status, expect.stringContaining(detail)]);
    expect((await feed.read("a")).revision).toBe(0);
  });

  it("is refused with a remedy when there are too many; existing ones stay, and a repetition adds none", async () => {
    const { add, request, feed } = controlApi();
    const about = { issuer, by: "alice", reason: "a test", until: Number.MAX_SAFE_INTEGER, kind: "token" } as const;
    const many = Array.from({ length: maxRevocations }, (_, index) => ({
      ...about,
      id: `r${index}`,
      hash: hash(index),
    }));
    await feed.write("a", 0, [], many);
    expect(await add({ hash: hash(9999) })).toMatchObject({
      status: 409,
      detail: expect.stringContaining("revoking a consumer covers all"),
    });
    expect((await add({ hash: hash(7) })).status).toBe(200);
    expect((await request("viewer", "GET", "a/revocations")).revoked).toHaveLength(maxRevocations);
  });
});

describe("the capacity of an overlay", () => {
  const close = (request: ReturnType<typeof controlApi>["request"]) =>
    request("operator", "POST", "a/overlay", { kind: "close", route: "r", for: "1h", reason: "an incident" });
  const fill = async (feed: Feed, count: number) => {
    const { revision } = await feed.read("a");
    const entries = Array.from({ length: count }, (_, index): OverlayEntry => {
      const about = { id: String(index), until: Date.UTC(2026, 10, 2), by: "mallory", reason: "" };
      return { kind: "limit", filter: "limit", limit: "1/s", ...about };
    });
    await feed.write("a", revision, entries);
  };

  it("is reserved for closing a route and for control's own entries", async () => {
    const { request, feed } = controlApi();
    await fill(feed, 74);
    const limit = { kind: "limit", filter: "limit", limit: "1/s", for: "1h", reason: "too much" };
    expect((await request("operator", "POST", "a/overlay", limit)).status).toBe(200);
    expect(await request("operator", "POST", "a/overlay", limit)).toMatchObject({
      status: 409,
      detail: "a has 75 entries already",
    });
    for (let count = 0; count < 20; count++) expect((await close(request)).status).toBe(200);
    expect((await close(request)).status).toBe(409);
    const drain: OverlayEntry = {
      kind: "drain",
      versions: [],
      ends: 0,
      id: "d",
      until: Date.UTC(2026, 10, 2),
      by: "",
      reason: "",
    };
    expect((await amendEntries(feed, "a", (all) => [...all, drain]))?.entries).toHaveLength(96);
  });

  it("drops no entry for a new one, also with an expected revision", async () => {
    const { request, feed } = controlApi();
    await fill(feed, 100);
    const { revision } = await feed.read("a");
    const body = { kind: "close", route: "r", for: "1h", reason: "an incident" };
    const { status } = await request("operator", "POST", "a/overlay", body, { "if-match": `"${revision}"` });
    expect([status, (await feed.read("a")).entries.length]).toEqual([409, 100]);
  });
});
