/** The admin API with invalid input: malformed, oversized or unauthorized calls are refused without effect. */

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { handleActuatorCall } from "../../functions/control/actuator/calls.ts";
import { controlAudience } from "../../functions/control/api/operators.ts";
import type { ControlPorts } from "../../functions/control/api/ports.ts";
import { adminApi } from "../../functions/control/api/router.ts";
import type { ControlPlan } from "../../functions/control/model/plan.ts";
import type { ReleaseConfig } from "../../functions/control/model/release-config.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { evidencePath } from "../../functions/control/model/rollout-state.ts";
import { situationOf } from "./rollout-situations.ts";

const { publicKey, privateKey } = await generateKeyPair("EdDSA");
const { x = "" } = await exportJWK(publicKey);
const secret = "the secret of control";

/** @param past the rollouts of tier a; by default they cannot be read */
const controlApi = async (past?: readonly Rollout[], role = "operator") => {
  const done: string[] = [];
  const proposed: object[] = [];
  const bodies: string[] = [];
  const logged: object[] = [];
  const fail = async (): Promise<never> => {
    throw new Error(`it broke over ${secret}`);
  };
  const ports = {
    status: async () => null,
    history: past ? async () => past : fail,
    start: async (tier: string) => {
      done.push(`start ${tier}`);
      return { status: "running", why: "" };
    },
    candidates: async () => [],
    traffic: async (tier: string) => ({ requestsPerSecond: tier === "a" ? 7 : 0 }),
    planned: async (_: string, it: ReleaseConfig) => (it.steps === "auto" ? { ...it, steps: ["5%", "100%"] } : it),
    notify: async () => {},
    ledger: {
      spend: async () => "spent",
      write: async () => 1,
      settle: async () => {},
      propose: async ({ tier, what, body }: { tier: string; what: string; body: string }) => {
        proposed.push({ tier, what });
        bodies.push(body);
        return "waits";
      },
    },
    now: () => Date.now(),
    uuid: () => "p1-0000",
    log: (line: object) => void logged.push(line),
  } as unknown as ControlPorts;
  const tier = { level: "standard", workers: ["gate-a"], routes: {}, filters: {}, release: {} };
  const frontFacts = { level: "core", workers: ["postern-front"], release: { steps: ["10%", "100%"] } };
  const plan = {
    environment: "test",
    host: "control.acme.example",
    operators: { alice: { key: x, role } },
    tiers: { a: tier },
    frontFacts,
  };
  const app = adminApi(plan as unknown as ControlPlan, ports);
  const seconds = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ env: "test" })
    .setProtectedHeader({ alg: "EdDSA", kid: "alice" })
    .setSubject("alice")
    .setJti("one")
    .setAudience(controlAudience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(privateKey);
  return {
    done,
    proposed,
    bodies,
    logged,
    request: async (path: string, init: RequestInit & { duplex?: "half" } = {}) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", ...init.headers };
      const response = await app.request(path, { ...init, headers } as RequestInit);
      return { status: response.status, text: await response.text() };
    },
  };
};

const start = "/v1/tiers/a/rollouts";
const release = { steps: ["1%", "100%"] };

describe("the front", () => {
  it("is released like a tier; where a tier behind it is core, a second person approves", async () => {
    const { request, done, proposed } = await controlApi();
    const body = JSON.stringify({ reason: "a test" });
    expect(await request("/v1/tiers/front/rollouts", { method: "POST", body })).toMatchObject({ status: 202 });
    expect([done, proposed]).toEqual([[], [{ tier: "front", what: "start" }]]);
    expect(await request("/v1/tiers/front/rollout")).toMatchObject({ status: 200, text: "null" });
    expect((await request("/v1/tiers/front/cost")).status).toBe(404);
  });
});

it("steps that are chosen by the traffic are in the proposal that a second person reads", async () => {
  const { request, bodies } = await controlApi();
  const body = JSON.stringify({ reason: "a test", release: { steps: "auto" } });
  expect(await request("/v1/tiers/front/rollouts", { method: "POST", body })).toMatchObject({ status: 202 });
  expect(JSON.parse(bodies[0] ?? "").release.steps).toEqual(["5%", "100%"]);
});

it("the traffic is there to read, and only of a tier that is there", async () => {
  const { request } = await controlApi();
  expect(await request("/v1/tiers/a/traffic")).toMatchObject({ status: 200, text: '{"requestsPerSecond":7}' });
  expect((await request("/v1/tiers/none/traffic")).status).toBe(404);
});

describe("a body", () => {
  it("with a release, written as in a manifest, starts a rollout", async () => {
    const { request, done } = await controlApi();
    expect(await request(start, { method: "POST", body: JSON.stringify({ reason: "a test", release }) })).toMatchObject(
      {
        status: 200,
      },
    );
    expect(done).toEqual(["start a"]);
  });

  it.each([
    ["is not JSON", "{"],
    ["is a list", "[]"],
    ["is nested a thousand deep", `${"[".repeat(1000)}${"]".repeat(1000)}`],
    ["sets a prototype", '{"reason":"a test","__proto__":{"role":"admin"}}'],
    ["has no reason", "{}"],
    ["has a share above 100 %", JSON.stringify({ reason: "it", release: { steps: ["1%", "999%"] } })],
    ["has descending steps", JSON.stringify({ reason: "it", release: { steps: ["50%", "1%", "100%"] } })],
    ["has steps that do not end at 100 %", JSON.stringify({ reason: "it", release: { steps: ["50%"] } })],
    [
      "has a tolerance with too many digits",
      JSON.stringify({ reason: "it", release: { ...release, tolerate: { errors: "+0.123456pp" } } }),
    ],
    ["has a bake that is too long", JSON.stringify({ reason: "it", release: { ...release, bake: "999999999h" } })],
    [
      "has a limit that is not a share",
      JSON.stringify({ reason: "it", release: { ...release, limits: { errors: "lots" } } }),
    ],
    [
      "has a query that is too long",
      JSON.stringify({ reason: "it", release: { ...release, queries: { it: { query: "x".repeat(1001), max: 1 } } } }),
    ],
  ])("that %s is refused without effect", async (_, body) => {
    const { request, done } = await controlApi();
    const { status, text } = await request(start, { method: "POST", body });
    expect([status, text.length < 3000]).toEqual([400, true]);
    expect(done).toEqual([]);
  });

  it("with another media type is refused if it is not valid JSON", async () => {
    const { request, done } = await controlApi();
    const headers = { "content-type": "text/plain" };
    expect((await request(start, { method: "POST", body: "{}", headers })).status).toBe(400);
    expect(done).toEqual([]);
  });

  it("without a length is refused when it exceeds the limit", async () => {
    const { request, done } = await controlApi();
    const body = new ReadableStream({
      start: (controller) => {
        for (let count = 0; count < 300; count++) controller.enqueue(new TextEncoder().encode(" ".repeat(1024)));
        controller.enqueue(new TextEncoder().encode(JSON.stringify({ reason: "a test" })));
        controller.close();
      },
    });
    expect((await request(start, { method: "POST", body, duplex: "half" })).status).toBe(400);
    expect(done).toEqual([]);
  });
});

it.each([
  "/v1/tiers/__proto__/rollout",
  "/v1/tiers/toString/rollouts",
  "/v1/tiers/a%2F..%2Fb/rollout",
  "/v1/tiers/a/../../b",
])("answers 4xx to %s, which is not a tier", async (path) => {
  const { request } = await controlApi();
  expect((await request(path)).status).toBeGreaterThanOrEqual(400);
  expect((await request(path)).status).toBeLessThan(500);
});

it("answers 500 without details when a port throws", async () => {
  const { request, logged } = await controlApi();
  const { status, text } = await request("/v1/tiers/a/rollouts");
  expect([status, JSON.parse(text)]).toEqual([
    500,
    {
      type: "urn:postern:problem:internal",
      title: "Control failed",
      status: 500,
      code: "internal",
      detail: "see the log of control",
    },
  ]);
  expect(logged).toHaveLength(1);
});

it("gives a viewer a rollout's evidence at the address that notices have", async () => {
  const { rollout } = await situationOf("rolled-back");
  const { request } = await controlApi([{ ...rollout, tier: "a" }], "viewer");
  const path = evidencePath({ tier: "a", id: rollout.id });
  const { status, text } = await request(path);
  expect([status, JSON.parse(text)]).toMatchObject([
    200,
    { environment: "test", tier: "a", url: `https://control.acme.example${path}`, state: "rolled-back" },
  ]);
  expect(await request("/v1/rollouts/a/gone")).toMatchObject({ status: 404, text: expect.stringContaining("gone") });
  expect(await request("/v1/rollouts/b/gone")).toMatchObject({
    status: 404,
    text: expect.stringContaining("tiers are"),
  });
  expect((await request("/v1/rollouts/a/a%2Fb")).status).toBe(400);
});

it("the actuator does not follow redirects, so its token reaches only the platform", async () => {
  const sent: RequestInit[] = [];
  const request = new Request("https://actuator/deployments", { method: "POST", body: '{"worker":"gate-a"}' });
  const answer = await handleActuatorCall(
    request,
    { api: "https://api.example", account: "1", workers: ["gate-a"] },
    {
      send: async (_, init) => {
        sent.push(init);
        return new Response(null, { status: 302, headers: { location: "https://elsewhere.example" } });
      },
      token: "deploy-token",
      timeout: () => new AbortController().signal,
    },
  );
  expect(sent.map(({ redirect }) => redirect)).toEqual(["manual"]);
  const body = await answer.text();
  expect(JSON.parse(body)).toMatchObject({ ok: false, status: 302 });
  expect(body).not.toContain("deploy-token");
});
