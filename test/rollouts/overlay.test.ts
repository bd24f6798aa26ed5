/** An overlay and a revocation on every isolate of a gate with simulated production delays: within ten seconds, without control, until they expire. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it } from "vitest";
import type { FeedMessage } from "../../functions/gateway/overlay/overlay.ts";
import { consumer, token } from "../../infra/commands/operate/revoke.ts";
import { manifest } from "../e2e/project.ts";
import { until } from "../until.ts";
import { type RolloutCloud, rolloutCloud } from "./rollout-cloud.ts";

const realism = { kvMs: 60_000, objectMs: 30, evictMs: 600_000 };

const { publicKey, privateKey } = await generateKeyPair("EdDSA");
const issuer = "https://id.example";
const keys = JSON.stringify([{ ...(await exportJWK(publicKey)), kid: "k1", alg: "EdDSA" }]);

const tokenOf = (sub: string, jti: string): Promise<string> =>
  new SignJWT({ iss: issuer, aud: "a", sub, jti })
    .setProtectedHeader({ alg: "EdDSA", kid: "k1" })
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(privateKey);

const tier = manifest(
  "a",
  `filters: [{ rate-limit: { limit: 100/s, by: ip }, id: calm }]
routes:
  hot: { match: GET /hot, respond: { status: 200, text: "hot" } }
  cool: { match: GET /cool, respond: { status: 200, text: "cool" } }
  own:
    match: GET /own
    without: [calm]
    filters: [{ jwt: { issuer: "${issuer}", audience: a, algorithms: [EdDSA], keys: ${keys} } }]
    respond: { status: 200, text: "own" }
`,
);

const requestStatuses = async (
  { cloud }: RolloutCloud,
  target: string,
  count: number,
  bearer?: string,
): Promise<number[]> => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) {
    const headers = { "x-device-id": `d${index}`, ...(bearer && { authorization: `Bearer ${bearer}` }) };
    const response = await fetch(cloud.edge + target, { headers });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
};

const pause = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

it("closes a route and refuses revoked tokens on eight isolates within ten seconds, without control, and opens the route after its lifetime", {
  timeout: 180_000,
}, async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier }, { isolates: 8, realism });
  const [lost, kept, bobs] = await Promise.all([tokenOf("alice", "1"), tokenOf("alice", "2"), tokenOf("bob", "3")]);
  const options = { root: it.root, target: it.cloud.api, as: "alice" };
  await requestStatuses(it, "/a/hot", 60);
  // Each isolate caches them as verified.
  for (const one of [lost, kept, bobs])
    expect(new Set(await requestStatuses(it, "/a/own", 60, one))).toEqual(new Set([200]));
  await it.client.call<FeedMessage>("POST", "/v1/tiers/a/overlay", {
    kind: "close",
    route: "hot",
    for: "35s",
    reason: "wrong",
  });
  const said = [
    await token("a", options, async () => lost),
    await consumer("bob", undefined, { ...options, all: true }),
  ];
  expect(JSON.stringify(said)).not.toContain(lost);
  const closedAt = Date.now();
  // The documented time. Earlier requests would count against the limit.
  await pause(10_000);
  expect(new Set(await requestStatuses(it, "/a/hot", 60))).toEqual(new Set([503]));
  expect(new Set(await requestStatuses(it, "/a/cool", 20))).toEqual(new Set([200]));
  const revoked = async () =>
    Promise.all([lost, bobs, kept].map(async (one) => [...new Set(await requestStatuses(it, "/a/own", 40, one))]));
  expect(await revoked()).toEqual([[401], [401], [200]]);

  await it.cloud.control.remove("postern-control-local", true);
  // Longer than the polling interval, so that each isolate has found the feed unavailable.
  await pause(12_000);
  expect(new Set(await requestStatuses(it, "/a/hot", 60))).toEqual(new Set([503]));
  expect(new Set(await requestStatuses(it, "/a/cool", 20))).toEqual(new Set([200]));
  expect(await revoked()).toEqual([[401], [401], [200]]);

  // The entry lasts 35 seconds, by the clocks of the isolates.
  await pause(Math.max(0, closedAt + 36_000 - Date.now()));
  expect(new Set(await requestStatuses(it, "/a/hot", 60))).toEqual(new Set([200]));
});

it("refuses unauthorized, stale and unknown changes, and records who did what", {
  timeout: 120_000,
}, async () => {
  const it = await rolloutCloud({ "routes/a.yaml": tier });
  const close = (operator: string, more: object = {}) =>
    it.clientAs(operator).call<FeedMessage>("POST", "/v1/tiers/a/overlay", {
      kind: "close",
      route: "hot",
      for: "1m",
      reason: "wrong",
      ...more,
    });
  await expect(close("carol")).rejects.toThrow("carol is viewer; this requires operator");
  await expect(close("alice", { route: "hit" })).rejects.toThrow('a has no route "hit"; it has cool, hot, own');
  await expect(close("alice", { for: "200h" })).rejects.toThrow("seven days at most");
  await expect(close("alice", { open: true })).rejects.toThrow('Unrecognized key: "open"');
  const { revision, entries } = await close("alice");
  expect(entries).toMatchObject([{ kind: "close", route: "hot", by: "alice" }]);
  await expect(it.clientAs("carol").call("DELETE", "/v1/tiers/a/revocations/x")).rejects.toThrow("carol is viewer");
  const audit = await it.client.call<readonly { by: string; what: string; outcome: string }[]>("GET", "/v1/audit");
  expect(audit[0]).toMatchObject({ by: "alice", what: "overlay close", outcome: `revision ${revision}` });
  const limited = { kind: "limit", filter: "calm", limit: "2/m", for: "1m", reason: "flood" };
  await it.client.call<FeedMessage>("POST", "/v1/tiers/a/overlay", limited);
  const refused = async () => (await requestStatuses(it, "/a/cool", 6)).filter((status) => status === 429).length;
  await until(async () => (await refused()) >= 3, "the gate has the limit");
  const drift = await it.client.call<readonly { entries: readonly { says: string }[] }[]>("GET", "/v1/drift");
  expect(drift[0]?.entries.map(({ says }) => says)).toEqual(["differs from the manifest", "differs from the manifest"]);
});
