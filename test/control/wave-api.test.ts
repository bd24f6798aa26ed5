/** The admin API of waves: roles, approvals for core tiers, and the audit log. */

import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it } from "vitest";
import { controlAudience } from "../../functions/control/api/operators.ts";
import type { ControlPorts } from "../../functions/control/api/ports.ts";
import { addProposalRoutes } from "../../functions/control/api/proposals.ts";
import { adminApi } from "../../functions/control/api/router.ts";
import { addWaveRoutes } from "../../functions/control/api/waves.ts";
import type { AuditEntry } from "../../functions/control/audit/ledger.ts";
import type { ProposalView } from "../../functions/control/audit/record.ts";
import type { Proposal } from "../../functions/control/model/approval.ts";
import type { ControlPlan, Role } from "../../functions/control/model/plan.ts";
import type { Wave } from "../../functions/control/model/wave.ts";
import type { Notice } from "../../functions/control/notifications/notification.ts";
import { runWave, type WaveHarness, waveHarness } from "./wave-harness.ts";

const keys = await Promise.all(
  ["alice", "bob", "carol"].map(async (name) => ({ name, ...(await generateKeyPair("EdDSA")) })),
);

const operators = async (): Promise<ControlPlan["operators"]> =>
  Object.fromEntries(
    await Promise.all(
      keys.map(async ({ name, publicKey }) => {
        const role: Role = name === "carol" ? "viewer" : "operator";
        return [name, { key: (await exportJWK(publicKey)).x as string, role }];
      }),
    ),
  );

const tokenOf = (name: string): Promise<string> => {
  const key = keys.find((it) => it.name === name);
  const seconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ env: "test" })
    .setProtectedHeader({ alg: "EdDSA", kid: name })
    .setSubject(name)
    .setJti(crypto.randomUUID())
    .setAudience(controlAudience)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(key?.privateKey as Parameters<SignJWT["sign"]>[0]);
};

/** The admin API over real waves and rollouts; the ledger is a list. */
const controlApi = async (it: WaveHarness) => {
  const lines: Omit<AuditEntry, "id">[] = [];
  const proposals: Proposal[] = [];
  const notices: Notice[] = [];
  let count = 0;
  const plan = { ...it.plan, operators: await operators(), environment: "test" } as ControlPlan;
  const ports = {
    candidates: (tier, facts) => it.tier(tier).candidates({ tier, facts }),
    waves: {
      status: async () => (await it.waves().status()) ?? null,
      history: () => it.waves().history(),
      check: (start) => it.waves().check(start),
      start: (start) => it.waves().start(start),
      ask: (command) => it.waves().ask(command),
    },
    ledger: {
      spend: async () => "spent",
      write: async (line) => lines.push({ ...line, outcome: "" }) - 1,
      settle: async (id, outcome) => void Object.assign(lines[id] ?? {}, { outcome }),
      lines: async () => [],
      propose: async (proposal) => {
        proposals.push(proposal);
        return "waits";
      },
      proposals: async () => proposals,
      take: async (id) =>
        proposals.splice(
          proposals.findIndex((one) => one.id === id),
          1,
        )[0],
    },
    notify: async (notice) => void notices.push(notice),
    now: () => Date.now(),
    uuid: () => `p${++count}-0000`,
    log: () => {},
  } as Partial<ControlPorts> as ControlPorts;
  const app = adminApi(plan, ports);
  addProposalRoutes(app, plan as unknown as ControlPlan, ports);
  addWaveRoutes(app, plan, ports);
  return {
    lines,
    notices,
    request: async (name: string, path: string, body: object) => {
      const headers = { authorization: `Bearer ${await tokenOf(name)}`, "content-type": "application/json" };
      const response = await app.request(path, { method: "POST", headers, body: JSON.stringify(body) });
      return {
        status: response.status,
        answer: (await response.json()) as Wave & Proposed & { readonly detail: string },
      };
    },
  };
};

interface Proposed {
  readonly proposal: ProposalView;
}

const approval = ({ proposal }: Proposed): readonly [path: string, body: object] => [
  `/v1/proposals/${proposal.id}`,
  { fingerprint: proposal.fingerprint },
];

const small = () =>
  waveHarness(
    [
      { tier: "news", level: "best-effort" },
      { tier: "shop", level: "standard" },
    ],
    1,
  );
const withCore = () =>
  waveHarness(
    [
      { tier: "news", level: "best-effort" },
      { tier: "pay", level: "core" },
    ],
    1,
  );

it("an operator can start a wave; a viewer cannot, and unknown tiers are refused", async () => {
  const it = small();
  const { request, lines } = await controlApi(it);
  const tiers = ["news", "shop"];
  expect((await request("carol", "/v1/waves", { reason: "me too", tiers })).status).toBe(403);
  expect((await request("alice", "/v1/waves", { reason: "", tiers })).status).toBe(400);
  expect((await request("alice", "/v1/waves", { reason: "a test", tiers: [] })).status).toBe(400);
  expect((await request("alice", "/v1/waves", { reason: "a test", tiers, concurrent: 0 })).status).toBe(400);
  const unknown = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "__proto__", "toys"] });
  expect(unknown.status).toBe(400);
  const other = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "toys"] });
  expect([other.status, other.answer.detail]).toEqual([409, "control does not know toys: npx postern deploy control"]);
  expect(it.wave()).toBeUndefined();

  const started = await request("alice", "/v1/waves", { reason: "a test", tiers });
  expect(started.answer).toMatchObject({ status: "running", by: "alice", concurrent: 3 });
  expect((await request("bob", "/v1/waves", { reason: "me too", tiers })).status).toBe(409);
  expect((await request("bob", "/v1/waves/check", { reason: "me too", tiers })).status).toBe(409);
  expect((await request("bob", "/v1/wave/pause", {})).answer.status).toBe("paused");
  expect((await request("bob", "/v1/wave/resume", {})).answer.status).toBe("running");
  expect(lines.map(({ by, what, outcome }) => `${by}: ${what}: ${outcome.split(":")[0]}`)).toEqual([
    "alice: wave start: running",
    "bob: wave start: refused",
    "bob: wave pause: paused",
    "bob: wave resume: running",
  ]);
});

it("a wave with a core tier takes two people to start and resume, and one to stop", async () => {
  const it = withCore();
  const { request, notices } = await controlApi(it);
  const { status, answer } = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "pay"] });
  expect(status).toBe(202);
  expect(notices).toMatchObject([
    {
      type: "approval.wanted",
      data: {
        tier: "*",
        proposal: answer.proposal.id,
        what: "wave start",
        reason: "a test",
        actor: "alice",
        names: ["gate-pay: stable -> canary, digest digest"],
      },
    },
  ]);
  expect(it.wave()).toBeUndefined();
  expect((await request("alice", ...approval(answer))).status).toBe(403);
  expect((await request("bob", ...approval(answer))).answer).toMatchObject({ by: "alice and bob" });
  expect((await request("bob", "/v1/wave/pause", {})).answer.status).toBe("paused");
  const again = await request("bob", "/v1/wave/resume", { reason: "go" });
  expect([again.status, it.wave().status]).toEqual([202, "paused"]);
  expect((await request("alice", ...approval(again.answer))).answer.status).toBe("running");
  expect((await request("alice", "/v1/wave/abort", { all: true })).answer.status).toBe("aborted");
});

it("an approved proposal for one wave does not resume another", async () => {
  const it = withCore();
  const { request } = await controlApi(it);
  const start = async () => {
    const { answer } = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "pay"] });
    return request("bob", ...approval(answer));
  };
  await start();
  await request("alice", "/v1/wave/pause", {});
  const { answer } = await request("alice", "/v1/wave/resume", {});
  await request("alice", "/v1/wave/abort", {});
  await runWave(it, 30_000);
  await start();
  await request("alice", "/v1/wave/pause", {});
  const late = await request("bob", ...approval(answer));
  expect([late.status, late.answer.detail]).toEqual([
    409,
    "what was approved does not hold: another wave has been started since; propose it again",
  ]);
  expect(it.wave().status).toBe("paused");
});

it("only the approved versions are released", async () => {
  const it = withCore();
  const { request } = await controlApi(it);
  const { answer } = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "pay"] });
  it.upload("gate-pay", "another");
  await request("bob", ...approval(answer));
  await runWave(it, 120_000);
  expect(it.rollout("pay")).toBeUndefined();
  expect(it.wave().members.find(({ tier }) => tier === "pay")).toMatchObject({
    place: "failed",
    why: expect.stringContaining("gate-pay has version another to be released now"),
  });
});

it("an approved resume does not skip a tier that has failed since", async () => {
  const it = withCore();
  it.scenario.bad.add("news");
  const { request } = await controlApi(it);
  const { answer } = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "pay"] });
  await request("bob", ...approval(answer));
  await it.reconcile();
  expect(it.rollout("news")).toBeDefined();
  await request("alice", "/v1/wave/pause", {});
  const resume = await request("alice", "/v1/wave/resume", {});
  await runWave(it, 60_000);
  expect((await request("bob", ...approval(resume.answer))).status).toBe(409);
});

it("a resume that was proposed during one pause does not end another", async () => {
  const it = withCore();
  const { request } = await controlApi(it);
  const { answer } = await request("alice", "/v1/waves", { reason: "a test", tiers: ["news", "pay"] });
  await request("bob", ...approval(answer));
  await request("alice", "/v1/wave/pause", { reason: "a slow day" });
  const [first, second] = [
    await request("alice", "/v1/wave/resume", {}),
    await request("alice", "/v1/wave/resume", {}),
  ];
  expect((await request("bob", ...approval(first.answer))).answer.status).toBe("running");
  await runWave(it, 1_000);
  await request("alice", "/v1/wave/pause", { reason: "an incident" });
  const late = await request("bob", ...approval(second.answer));
  expect([late.status, it.wave().status]).toEqual([409, "paused"]);
  expect(late.answer.detail).toMatch(
    /^what was approved does not hold: wave \S+ has received another command since; propose it again$/,
  );
});

it("a tier whose release is invalid is refused with a remedy", async () => {
  const it = small();
  Object.assign(it.plan.tiers.shop as object, { release: { steps: ["10%", "5%"] } });
  const { request } = await controlApi(it);
  expect(await request("alice", "/v1/waves", { reason: "a test", tiers: ["shop"] })).toMatchObject({
    status: 409,
    answer: {
      detail:
        "the release of shop, as control knows it, does not hold: release.steps.1: 5% is not larger than 10%; write the steps in ascending order; npx postern deploy control",
    },
  });
});
