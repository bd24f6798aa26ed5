/** A paused rollout keeps its users, so it is monitored like a running one, and rolled back where it fails. */
import { describe, expect, it } from "vitest";
import type { Finding } from "../../functions/control/model/finding.ts";
import { isApplied, type Rollout } from "../../functions/control/model/rollout.ts";
import { stateOf } from "../../functions/control/model/rollout-state.ts";
import { rolloutNotice } from "../../functions/control/notifications/notification.ts";
import { maxDataChars } from "../../functions/control/notifications/outbox.ts";
import { payloads } from "../../functions/control/notifications/payloads.ts";
import { nextAction } from "../../functions/control/rollout/reducer.ts";
import { type RolloutHarness, rolloutHarness, runFor, verdictOf } from "./rollout-harness.ts";

/** The first step holds until a person promotes it. */
const heldSteps = [
  { share: 10, bakeMs: 5000, hold: true },
  { share: 100, bakeMs: 0, hold: false },
];

const types = ({ notices }: RolloutHarness) => notices.map(({ type }) => type);

/** At 1 % of users. */
const atOnePercent = async (workers?: readonly string[]): Promise<RolloutHarness> => {
  const it = rolloutHarness(workers);
  await it.start();
  await runFor(it, 3_000);
  expect([it.share(), it.state().status]).toEqual([1, "running"]);
  return it;
};

const expectRolledBack = async (it: RolloutHarness, why: string) => {
  await runFor(it, 10_000);
  expect(it.state()).toMatchObject({ status: "rolled-back", why });
  expect(it.newest()?.versions).toEqual([{ version_id: "gate-a-stable", percentage: 100 }]);
  expect(types(it).slice(-2)).toEqual(["rollout.failed", "rollout.rolled_back"]);
};

describe("a version that fails while its rollout is paused", () => {
  it("by a person: rolled back within seconds", async () => {
    const it = await atOnePercent();
    await it.command("pause", "alice", "lunch");
    await it.reconcile();
    expect(it.alarm()).toBeLessThanOrEqual(it.now() + 5000);
    it.scenario.verdict = "fail";
    await expectRolledBack(it, "errors: 2 % against 0");
  });

  it("because the evidence was not enough: rolled back", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "not-enough";
    await runFor(it, 60_000);
    expect(it.state().status).toBe("paused");
    it.scenario.verdict = "fail";
    await expectRolledBack(it, "errors: 2 % against 0");
  });

  it("because the platform refused the next step: users still have the step before, which is judged", async () => {
    const it = await atOnePercent();
    it.scenario.faults = [{ status: 403, code: 10000, message: "not allowed" }];
    await runFor(it, 8_000);
    expect([it.share(), it.state().status, it.state().goal.share]).toEqual([1, "paused", 10]);
    it.scenario.verdict = "fail";
    await expectRolledBack(it, "errors: 2 % against 0");
  });
});

describe("while the platform does not answer", () => {
  it.each(["a split", "anything"] as const)("%s, users are judged at the split that they have", async (what) => {
    const it = await atOnePercent();
    it.scenario.platformDown = what === "anything";
    if (what === "a split") it.scenario.faults = [{ status: 429, code: 971, message: "wait", retryAfterMs: 60_000 }];
    await runFor(it, 8_000);
    expect([it.share(), it.state().goal.share, it.state().status]).toEqual([1, 10, "running"]);
    it.scenario.verdict = "fail";
    await it.reconcile();
    expect(it.state().status).toMatch(/^returning|^rolled-back/);
    it.scenario.platformDown = false;
    await expectRolledBack(it, "errors: 2 % against 0");
  });
});

it("a paused rollout is judged every five seconds, later less often, and the platform is asked twice a minute at most", async () => {
  const it = await atOnePercent();
  await it.command("pause", "alice");
  const before = it.observations();
  const judgedAt: number[] = [];
  for (const end = it.now() + 24 * 3_600_000; it.now() < end; it.advance(Math.max(1, (it.alarm() ?? 0) - it.now()))) {
    await it.reconcile();
    judgedAt.push(it.now());
  }
  const gaps = judgedAt.map((at, index) => (judgedAt[index + 1] ?? at) - at).slice(0, -1);
  expect([gaps[0], Math.max(...gaps)]).toEqual([5000, 60_000]);
  expect(it.observations() - before).toBeLessThanOrEqual(24 * 120);
  it.scenario.verdict = "fail";
  await it.reconcile();
  expect(it.state().status).toBe("rolled-back");
});

it("a step that holds for a day asks the platform twice a minute at most, and is rolled back where it fails", async () => {
  const it = rolloutHarness(["gate-a"], heldSteps);
  await it.start();
  await runFor(it, 10_000);
  const before = it.observations();
  for (const end = it.now() + 24 * 3_600_000; it.now() < end; it.advance(Math.max(1, (it.alarm() ?? 0) - it.now())))
    await it.reconcile();
  expect(it.observations() - before).toBeLessThanOrEqual(24 * 120);
  it.scenario.verdict = "fail";
  await it.reconcile();
  expect(it.state().status).toBe("rolled-back");
});

it.each(["abort", "resume", "promote"] as const)(
  "%s does not overwrite a deployment that was not seen yet",
  async (command) => {
    const it = await atOnePercent();
    await it.command("pause", "alice");
    await it.reconcile();
    it.deployForeign();
    await it.command(command, "alice");
    await runFor(it, 5_000);
    expect(it.state()).toMatchObject({ status: "paused", foreign: true });
    expect(it.newest()?.versions[0]?.version_id).toBe("other");
  },
);

describe("the period of evidence", () => {
  it("lasts over a pause and its end, and nothing is split again", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "not-enough";
    const [splits, stretches] = [it.splits.length, it.state().stretches];
    await it.command("pause", "alice");
    await runFor(it, 60_000);
    await it.command("resume", "alice");
    await runFor(it, 3_000);
    expect(it.state().stretches).toEqual(stretches);
    expect(it.splits).toHaveLength(splits);
    expect(it.state().status).toBe("running");
  });

  it("ends with another deployment, and one of its split begins", async () => {
    const it = await atOnePercent();
    await it.command("pause", "alice");
    await it.reconcile();
    it.deployForeign("gate-a", null, { "gate-a-stable": 70, "gate-a-canary": 30 });
    it.advance(30_000);
    await it.reconcile();
    expect(it.state().stretches.slice(-2)).toMatchObject([
      { share: 1, until: it.now() },
      { share: 30, until: null },
    ]);
  });

  it("has the smallest share and the largest, if Workers of the tier have different ones", async () => {
    const it = await atOnePercent(["gate-a", "gate-a--hot"]);
    it.deployForeign("gate-a--hot", null, { "gate-a--hot-stable": 50, "gate-a--hot-canary": 50 });
    await runFor(it, 32_000);
    expect(it.state().stretches.slice(-2)).toMatchObject([
      { share: 1, most: 50 },
      { share: 1, most: 50, until: null },
    ]);
  });

  it("has the next share too while one Worker has it, and the platform refuses the other", async () => {
    const it = await atOnePercent(["gate-a", "gate-a--hot"]);
    const { split } = it.ports.platform;
    const splitOne: typeof split = async (...call) =>
      call[0] === "gate-a" ? split(...call) : { ok: false, status: 403, code: null, message: "not allowed" };
    Object.assign(it.ports.platform, { split: splitOne });
    await runFor(it, 12_000);
    expect(it.state()).toMatchObject({ status: "paused", goal: { done: ["gate-a"] } });
    expect(it.state().stretches.at(-1)).toMatchObject({ share: 1, most: it.state().goal.share, until: null });
  });

  it("begins anew for a rollout that an earlier release paused", async () => {
    const it = await atOnePercent();
    await it.command("pause", "alice");
    const { stretches, ...stored } = it.state();
    const closed = stretches.map((stretch) => ({ ...stretch, until: it.now() }));
    await it.ports.storage.put("current", { ...stored, stretches: closed } satisfies Rollout);
    await it.reconcile(0);
    await it.reconcile();
    expect(it.state().stretches.at(-1)).toMatchObject({ share: 1, until: null });
    it.scenario.verdict = "fail";
    await expectRolledBack(it, "errors: 2 % against 0");
  });

  it("of a step that an earlier release held is monitored, and the step waits for a person again", async () => {
    const it = rolloutHarness(["gate-a"], heldSteps);
    await it.start();
    await runFor(it, 10_000);
    const why = "waiting at 10 % for a person: postern rollout promote a";
    it.restore("current", (stored: Rollout) => ({ ...stored, why }) satisfies Rollout);
    expect(stateOf(it.state())).toBe("running");
    await it.reconcile(0);
    await runFor(it, 60_000);
    expect([stateOf(it.state()), it.share()]).toEqual(["waiting", 10]);
    // One of each release.
    expect(types(it).filter((type) => type === "rollout.waiting")).toHaveLength(2);
    it.scenario.verdict = "fail";
    await expectRolledBack(it, "errors: 2 % against 0");
  });

  it("of a resumed rollout has the whole evidence timeout again", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "not-enough";
    await runFor(it, 40_000);
    expect(it.state().status).toBe("paused");
    await it.command("resume", "alice");
    await runFor(it, 20_000);
    expect(it.state().status).toBe("running");
    await runFor(it, 10_000);
    expect(it.state()).toMatchObject({
      status: "paused",
      why: expect.stringMatching(/^not enough evidence after 25 s at 1 %/),
    });
  });
});

describe("someone else's deployment", () => {
  it("that keeps the new version: nothing is done, and each finding is reported once", async () => {
    const it = await atOnePercent();
    it.deployForeign("gate-a", null, { "gate-a-stable": 50, "gate-a-canary": 50 });
    await it.reconcile();
    const splits = it.splits.length;
    it.scenario.verdict = "fail";
    await runFor(it, 20_000);
    it.scenario.criterion = "refusals";
    await runFor(it, 20_000);
    for (const { type, data } of it.notices) expect(payloads[type].data.safeParse(data).error).toBeUndefined();
    expect(it.splits).toHaveLength(splits);
    expect(it.state()).toMatchObject({
      status: "paused",
      why: "gate-a was deployed by mallory during the rollout",
      alerts: [{ key: "errors" }, { key: "refusals" }],
    });
    expect(types(it).slice(2)).toEqual(["rollout.paused", "rollout.alert", "rollout.alert"]);
    expect(it.notices[3]?.data).toMatchObject({
      why: "errors: 2 % against 0; control does not act: someone else decided the split",
      verdict: { verdict: "fail" },
    });
  });

  it("is alerted of by a limit and by a query, in the words of the receivers' schema", async () => {
    const it = await atOnePercent();
    it.deployForeign("gate-a", null, { "gate-a-stable": 50, "gate-a-canary": 50 });
    const query = { name: "unpaid", at: it.now(), inRow: 3 };
    const [finding] = verdictOf("fail").findings as [Finding];
    it.scenario.queries = [
      { ...finding, criterion: "query", query },
      { ...finding, criterion: "limit", limit: "p99" },
      { ...finding, criterion: "limit", limit: "errors" },
    ];
    await runFor(it, 20_000);
    expect(it.state().alerts?.map(({ key }) => key)).toEqual(["query unpaid", "limit p99", "limit errors"]);
    const alerts = it.notices.filter(({ type }) => type === "rollout.alert");
    expect(alerts).toHaveLength(1);
    for (const { type, data } of alerts) expect(payloads[type].data.safeParse(data).error).toBeUndefined();
  });

  it("is noticed during a pause too, and kept by an abort", async () => {
    const it = await atOnePercent();
    await it.command("pause", "alice");
    await it.reconcile();
    it.deployForeign();
    it.advance(30_000);
    await it.reconcile();
    expect(it.state()).toMatchObject({ foreign: true, why: "gate-a was deployed by mallory during the rollout" });
    expect(types(it).slice(-2)).toEqual(["rollout.paused", "rollout.paused"]);
    await it.command("abort", "alice");
    await runFor(it, 5_000);
    expect([it.state().status, it.newest()?.versions[0]?.version_id]).toEqual(["left", "other"]);
  });

  it("without the new version leaves nothing to judge", async () => {
    const it = await atOnePercent();
    it.deployForeign();
    await it.reconcile();
    expect(nextAction(it.state(), it.now())).toBeUndefined();
    it.scenario.verdict = "fail";
    await runFor(it, 20_000);
    expect(types(it)).not.toContain("rollout.alert");
  });

  it("alerts again after a person has resumed", async () => {
    const it = await atOnePercent();
    it.deployForeign("gate-a", null, { "gate-a-canary": 100 });
    it.scenario.verdict = "fail";
    await runFor(it, 10_000);
    expect(it.state().alerts).toHaveLength(1);
    it.scenario.verdict = "pass";
    await it.command("resume", "alice");
    await runFor(it, 2_000);
    expect([it.share(), it.state().alerts]).toEqual([1, []]);
  });
});

describe("a rollback that the platform refuses", () => {
  it("is tried again every five minutes, without a notice each time", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "fail";
    it.scenario.faults = Array.from({ length: 3 }, () => ({ status: 403, code: 10000, message: "not allowed" }));
    await runFor(it, 800_000);
    expect(it.scenario.faults).toHaveLength(0);
    expect(it.state().status).toBe("paused");
    await runFor(it, 200_000);
    expect([it.state().status, it.share()]).toEqual(["rolled-back", -1]);
    expect(types(it).slice(2)).toEqual(["rollout.failed", "rollout.paused", "rollout.rolled_back"]);
  });

  it("stays a rollback when a person resumes it, and cannot be promoted", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "fail";
    it.scenario.faults = [{ status: 403, code: 10000, message: "not allowed" }];
    await it.reconcile();
    expect(it.state().status).toBe("paused");
    await expect(it.command("promote", "alice")).rejects.toThrow("is being rolled back");
    await it.command("resume", "alice");
    await runFor(it, 2_000);
    expect([it.state().status, it.share()]).toEqual(["rolled-back", -1]);
  });
});

describe("promote on a paused rollout", () => {
  it("resumes and advances in one command, with one notice", async () => {
    const it = await atOnePercent();
    await it.command("pause", "alice");
    await it.command("promote", "bob", "it is fine");
    await it.reconcile();
    expect([it.share(), it.state().status]).toEqual([10, "running"]);
    const commands = it.state().notes.filter(({ by }) => by === "bob");
    expect(commands.map(({ what }) => what)).toEqual([
      "running: bob promoted it: it is fine; 10 % of the users get the new version",
    ]);
    expect(types(it).slice(-2)).toEqual(["rollout.paused", "rollout.step"]);
  });

  it("says so where evidence is missing", async () => {
    const it = await atOnePercent();
    it.scenario.verdict = "not-enough";
    await runFor(it, 40_000);
    expect(it.state().status).toBe("paused");
    await it.command("promote", "bob");
    expect(it.state().notes.at(-1)?.what).toBe(
      "running: bob promoted it without evidence; 10 % of the users get the new version",
    );
    await it.reconcile();
    expect(it.share()).toBe(10);
  });

  it("applies the step that the platform refused, and skips none", async () => {
    const it = await atOnePercent();
    it.scenario.faults = [{ status: 403, code: 10000, message: "not allowed" }];
    await runFor(it, 8_000);
    expect([it.share(), it.state().status]).toEqual([1, "paused"]);
    await it.command("promote", "bob");
    await it.reconcile();
    expect(it.share()).toBe(10);
  });

  it("overwrites someone else's deployment", async () => {
    const it = await atOnePercent();
    it.deployForeign();
    await it.reconcile();
    await it.command("promote", "bob");
    await it.reconcile();
    expect([it.share(), it.state().foreign]).toEqual([10, false]);
  });

  it("skips no step that users never had, also over someone else's deployment", async () => {
    const it = await atOnePercent();
    it.scenario.faults = Array.from({ length: 20 }, () => ({ status: 500, code: null, message: "down" }));
    await runFor(it, 8_000);
    expect([it.share(), isApplied(it.state()), it.state().goal.share]).toEqual([1, false, 10]);
    it.scenario.faults = [];
    it.deployForeign();
    await it.reconcile();
    expect(it.state()).toMatchObject({ status: "paused", foreign: true });
    await it.command("promote", "bob");
    await it.reconcile();
    expect(it.share()).toBe(10);
  });
});

it("a pause while a split is retried keeps the split before, and its evidence", async () => {
  const it = await atOnePercent();
  it.scenario.faults = Array.from({ length: 20 }, () => ({ status: 500, code: null, message: "down" }));
  await runFor(it, 8_000);
  await it.command("pause", "alice");
  await runFor(it, 10_000);
  expect([it.share(), isApplied(it.state())]).toEqual([1, false]);
  expect(it.state().stretches.at(-1)).toMatchObject({ share: 1, until: null });
});

it("a notice of the largest verdict is not too long for the outbox, which would send it without a word", async () => {
  const it = await atOnePercent();
  const cause = { route: `${"t".repeat(48)}/${"r".repeat(100)}`, by: "b".repeat(100), code: "c".repeat(100) };
  const finding = (index: number): Finding => ({
    ...{
      criterion: "upstream-errors",
      verdict: "fail",
      stable: 1 / 3,
      canary: 1 / 3,
      low: 1 / 3,
      high: 1 / 3,
      tolerate: 1 / 3,
    },
    counts: { stable: { hits: 1e12, requests: 1e12 }, canary: { hits: 1e12, requests: 1e12 } },
    // Rates have causes; there are four of them.
    ...(index < 4 && { causes: Array.from({ length: 10 }, () => ({ ...cause, canary: 1e12, stable: 1e12 })) }),
    ...{ clients: 100, needs: { requests: 1e12, ms: 1e12 }, why: "w".repeat(2000) },
    query: { name: "q".repeat(48), at: 1e13, inRow: 3 },
  });
  const text = "x".repeat(2000);
  const verdict = { verdict: "fail" as const, findings: Array.from({ length: 30 }, (_, index) => finding(index)) };
  const { data } = rolloutNotice("failed", { ...it.state(), verdict, why: text, reason: text }, "control", 1, 0);
  expect(JSON.stringify(data).length).toBeLessThan(maxDataChars);
  expect(data).toMatchObject({ verdict: { findings: { length: 20 } } });
});

it("someone else who deploys over and over makes neither the stored rollout nor its evaluation grow without end", async () => {
  const it = rolloutHarness();
  await it.start();
  await runFor(it, 9_000);
  const sizes: number[] = [];
  for (let count = 0; count < 130; count++) {
    it.deployForeign("gate-a", null, { "gate-a-stable": 50, "gate-a-canary": 50 });
    await runFor(it, 36_000);
    sizes.push(JSON.stringify(it.state()).length);
  }
  expect(it.state().stretches).toHaveLength(100);
  expect(it.state().stretches.at(-1)).toMatchObject({ share: 50, until: null });
  expect(sizes.at(-1)).toBeLessThanOrEqual((sizes[110] as number) + 200);
});
