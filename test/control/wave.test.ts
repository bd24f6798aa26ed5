/** A wave over tiers with real rollouts: order, failures, commands and notices. */
import { describe, expect, it } from "vitest";
import { payloads } from "../../functions/control/notifications/payloads.ts";
import { membersOf } from "../../functions/control/wave/members.ts";
import { planOf, runWave, type TierSpec, type WaveHarness, waveHarness } from "./wave-harness.ts";

const tiers: readonly TierSpec[] = [
  { tier: "pay", level: "core" },
  { tier: "shop", level: "standard" },
  { tier: "news", level: "best-effort" },
  { tier: "maps", level: "best-effort" },
  { tier: "open", level: "best-effort" },
];

describe("a wave of good versions", () => {
  it("starts with the least important tiers, ends with core, and promotes all", async () => {
    const it = waveHarness(tiers, 2);
    await it.start();
    await runWave(it, 120_000);
    expect(it.started.map(({ tier }) => tier)).toEqual(["maps", "news", "open", "shop", "pay"]);
    expect(it.wave()).toMatchObject({ status: "promoted", why: "5 of 5 tiers are promoted" });
    for (const { tier } of tiers) expect(it.share(`gate-${tier}`)).toBe(100);
  });

  it("runs no more concurrent rollouts than configured", async () => {
    const it = waveHarness(tiers, 2);
    await it.start();
    await runWave(it, 120_000);
    expect(Math.max(...it.started.map(({ open }) => open.length))).toBe(2);
  });

  it("releases tiers of one Worker once, at the level of the most important", () => {
    const shared = [
      { tier: "a", level: "best-effort", worker: "gate-shared" },
      { tier: "b", level: "core", worker: "gate-shared" },
      { tier: "c", level: "standard" },
    ] as const;
    const members = membersOf(planOf(shared), ["c", "a", "b"]);
    expect(members.map(({ tier, along, level }) => ({ tier, along, level }))).toEqual([
      { tier: "c", along: [], level: "standard" },
      { tier: "a", along: ["b"], level: "core" },
    ]);
    expect(membersOf(planOf(shared), ["a"])[0]).toMatchObject({ along: ["b"], level: "core" });
  });
});

describe("one bad tier", () => {
  it("stops the wave: running rollouts continue, no further tier starts, and the next level is untouched", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.bad.add("maps");
    await it.start();
    await runWave(it, 120_000);
    expect(it.started.map(({ tier }) => tier)).toEqual(["maps", "news"]);
    expect(it.wave().status).toBe("failed");
    expect(it.wave().why).toBe("maps failed: errors: 2 % against 0; no further tier started");
    expect([it.share("gate-maps"), it.share("gate-news")]).toEqual([-1, 100]);
    for (const tier of ["open", "shop", "pay"]) expect(it.deployments(`gate-${tier}`)).toHaveLength(1);
  });

  it("is skipped when a person resumes the wave, and the others are promoted", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.bad.add("maps");
    await it.start();
    await runWave(it, 60_000);
    await it.command("resume");
    await runWave(it, 120_000);
    expect(it.wave()).toMatchObject({ status: "promoted", why: "4 of 5 tiers are promoted; maps passed over" });
    expect(it.started.map(({ tier }) => tier)).toEqual(["maps", "news", "open", "shop", "pay"]);
  });

  it("can fail after its promotion, when a person aborts it", async () => {
    const it = waveHarness(tiers, 1);
    await it.start();
    await runWave(it, 20_000);
    expect(it.rollout("maps")?.status).toBe("promoted");
    await it.tier("maps").ask("abort", "bob", "customers call");
    await runWave(it, 60_000);
    expect(it.wave()).toMatchObject({ status: "failed", why: expect.stringContaining("customers call") });
    expect(it.started.map(({ tier }) => tier)).not.toContain("pay");
  });
});

describe("the notices of a wave", () => {
  const types = ({ notices: told }: WaveHarness) => told.map(({ type }) => type);

  it("report its start, why it stopped, and its end", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.bad.add("maps");
    await it.start();
    await runWave(it, 120_000);
    expect(types(it)).toEqual(["wave.started", "wave.stopping", "wave.failed"]);
    expect(it.notices[2]?.data).toMatchObject({
      status: "failed",
      tiers: 5,
      promoted: 1,
      failed: [{ tier: "maps", why: "errors: 2 % against 0" }],
      actor: null,
      startedBy: "alice",
    });
    await it.command("resume");
    await runWave(it, 120_000);
    expect(types(it).slice(3)).toEqual(["wave.resumed", "wave.promoted"]);
    expect(it.notices[3]?.data).toMatchObject({ actor: "bob" });
    for (const { type, data } of it.notices) expect(payloads[type].data.safeParse(data).error).toBeUndefined();
  });

  it("wait for an unavailable outbox without delaying the wave", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.outboxGone = true;
    await it.start();
    await runWave(it, 120_000);
    expect([it.wave().status, it.notices]).toEqual(["promoted", []]);
    it.scenario.outboxGone = false;
    await it.reconcile();
    expect(types(it)).toEqual(["wave.started", "wave.promoted"]);
  });

  it("are sent after a crash at any point, under the same id", async () => {
    const ids = async (dieAt: number) => {
      const it = waveHarness([{ tier: "news", level: "best-effort" }], 1);
      await it.start();
      await it.reconcile(dieAt);
      await runWave(it, 60_000);
      expect(it.wave().status).toBe("promoted");
      return [...new Set(it.notices.map(({ id, type }) => `${id.replace(/^.*_/, "")} ${type}`))];
    };
    for (let dieAt = 0; dieAt < 20; dieAt++) expect(await ids(dieAt)).toEqual(["1 wave.started", "2 wave.promoted"]);
  });
});

describe("commands of people", () => {
  it("a tier whose rollout waits for a person is under way, and the next level waits for it", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.open.add("maps");
    await it.start();
    await runWave(it, 120_000);
    expect(it.wave()).toMatchObject({ status: "running", why: "2 of 5 tiers are promoted; maps waits for a person" });
    it.scenario.open.delete("maps");
    await it.tier("maps").ask("resume", "bob", "there is traffic now");
    await runWave(it, 120_000);
    expect(it.wave().status).toBe("promoted");
  });

  it("pause: no further tier starts, and running rollouts continue to the end", async () => {
    const it = waveHarness(tiers, 1);
    await it.start();
    await runWave(it, 5_000);
    await it.command("pause");
    await runWave(it, 60_000);
    expect(it.started.map(({ tier }) => tier)).toEqual(["maps"]);
    expect([it.wave().status, it.rollout("maps")?.status]).toEqual(["paused", "promoted"]);
    await it.command("resume");
    await runWave(it, 120_000);
    expect(it.wave().status).toBe("promoted");
  });

  it("abort: running rollouts are rolled back, promoted tiers stay", async () => {
    const it = waveHarness(tiers, 1);
    await it.start();
    while (it.started.length < 2) await runWave(it, 2500);
    await runWave(it, 5000);
    const [first, second] = it.started.map(({ tier }) => tier) as [string, string];
    await it.command("abort");
    await runWave(it, 20_000);
    expect(it.wave()).toMatchObject({ status: "aborted", why: "bob aborted the running rollouts" });
    expect([it.share(`gate-${first}`), it.share(`gate-${second}`)]).toEqual([100, -1]);
  });

  it("abort with all, also after the end: each tier is rolled back by its own rollout", async () => {
    const it = waveHarness(tiers, 3);
    await it.start();
    await runWave(it, 120_000);
    await expect(it.command("abort")).rejects.toThrow("this wave is promoted; --all also rolls back what it promoted");
    await it.command("abort", true);
    await runWave(it, 20_000);
    expect(it.wave().status).toBe("aborted");
    for (const { tier } of tiers) expect(it.share(`gate-${tier}`)).toBe(-1);
    await expect(it.command("abort", true)).rejects.toThrow("nothing is left to roll back");
  });

  it("abort with all: versions that were released since stay", async () => {
    const it = waveHarness(tiers, 3);
    await it.start();
    await runWave(it, 120_000);
    const { subjects, steps, tolerate, patienceMs } = it.rollout("news") as NonNullable<ReturnType<typeof it.rollout>>;
    it.deployments("gate-news").unshift({
      id: "later",
      versions: [
        { version_id: "canary", percentage: 100 },
        { version_id: "newer", percentage: 0 },
      ],
      message: "postern deploy",
      author: "bob",
      trigger: null,
    });
    const facts = { workers: subjects.map(({ worker }) => worker) };
    await it.tier("news").start({ tier: "news", facts, steps, tolerate, patienceMs, smoke: [], by: "bob", reason: "" });
    await it.command("abort", true);
    await runWave(it, 60_000);
    expect(it.deployments("gate-news")[0]?.versions).toEqual([{ version_id: "newer", percentage: 100 }]);
    expect(it.share("gate-maps")).toBe(-1);
  });

  it("one wave runs at a time, and none over a tier with a running rollout", async () => {
    const it = waveHarness(tiers, 2);
    await it.start();
    await expect(it.start()).rejects.toThrow(/wave w\d+-0000 by alice is running: .*; only one wave can run at a time/);
    const other = waveHarness(tiers, 2);
    const facts = { workers: ["gate-pay"] };
    const tolerate = { errors: "+1pp", p99: "+20%", refusals: "+1pp" };
    await other
      .tier("pay")
      .start({ tier: "pay", facts, steps: [], patienceMs: 0, tolerate, smoke: [], by: "bob", reason: "" });
    await expect(other.start()).rejects.toThrow("rollouts are running: pay");
  });

  it("history: lists earlier waves", async () => {
    const it = waveHarness(tiers, 2);
    it.scenario.bad.add("maps");
    await it.start();
    await runWave(it, 60_000);
    const first = it.wave().id;
    await it.start();
    expect((await it.waves().history()).map(({ id }) => id)).toEqual([it.wave().id, first]);
  });
});

describe("a lost answer", () => {
  it.each(["lost before", "lost after"] as const)("%s the start was processed starts nothing twice", async (fault) => {
    const it = waveHarness(tiers, 2);
    it.scenario.faults.push(fault);
    await it.start();
    await runWave(it, 120_000);
    expect(it.started.map(({ tier }) => tier).sort()).toEqual(["maps", "news", "open", "pay", "shop"]);
    expect(it.wave().status).toBe("promoted");
  });

  it("is resolved even if rollouts cannot be observed: the repeated start returns its rollout", async () => {
    const it = waveHarness(tiers, 1);
    it.scenario.faults.push("lost after");
    it.scenario.unseen = 20;
    await it.start();
    await runWave(it, 200_000);
    expect(it.started).toHaveLength(5);
    expect(it.wave().status).toBe("promoted");
  });

  it("never counts as a refusal", async () => {
    const it = waveHarness(tiers, 1);
    it.scenario.faults.push(...Array.from({ length: 12 }, () => "lost before" as const));
    await it.start();
    await runWave(it, 200_000);
    expect(it.wave().status).toBe("promoted");
  });

  it("is not retried once the wave is paused", async () => {
    const it = waveHarness(tiers, 1);
    it.scenario.faults.push("lost before");
    await it.start();
    await it.reconcile();
    await it.command("pause");
    it.scenario.unseen = 10;
    await runWave(it, 60_000);
    expect(it.started).toEqual([]);
    expect(it.wave().members[0]).toMatchObject({ tier: "maps", place: "waiting" });
  });

  it.each([0, 1])("does not hide a rollout from an abort, though %d observations find nothing", async (unseen) => {
    const it = waveHarness(tiers, 1);
    it.scenario.faults.push("lost after");
    await it.start();
    await it.reconcile();
    expect(it.wave().members[0]).toMatchObject({ tier: "maps", place: "starting" });
    it.scenario.unseen = unseen;
    await it.command("abort");
    await runWave(it, 30_000);
    expect([it.wave().status, it.share("gate-maps")]).toEqual(["aborted", -1]);
  });
});

describe("a refused start", () => {
  it("is retried with a growing delay, and then counts as failed", async () => {
    const it = waveHarness(tiers, 2);
    it.deployments("gate-maps").unshift({
      id: "other",
      versions: [{ version_id: "other", percentage: 100 }],
      message: null,
      author: "mallory",
      trigger: null,
    });
    await it.start();
    await runWave(it, 10_000);
    expect(it.wave().members[0]).toMatchObject({
      tier: "maps",
      place: "starting",
      why: expect.stringContaining("no Worker of maps"),
    });
    await runWave(it, 120_000);
    expect(it.wave()).toMatchObject({
      status: "failed",
      why: expect.stringMatching(/^maps failed: could not start: no Worker of maps/),
    });
    expect(it.started.map(({ tier }) => tier)).not.toContain("pay");
  });
});

describe("a wave of thirty tiers, one of which was rolled back before", () => {
  const many = Array.from({ length: 30 }, (_, index): TierSpec => {
    const level = index < 18 ? "best-effort" : index < 27 ? "standard" : "core";
    return { tier: `t-${String(index).padStart(2, "0")}`, level };
  });

  it("tries that one again, and promotes all", async () => {
    const it = waveHarness(many, 5);
    it.scenario.bad.add("t-07");
    await it.startAlone("t-07");
    await runWave(it, 30_000);
    expect(it.rollout("t-07")).toMatchObject({ status: "rolled-back", attempt: { number: 1 } });
    expect(it.share("gate-t-07")).toBe(-1);
    it.scenario.bad.clear();

    await it.start();
    await runWave(it, 400_000);
    expect(it.wave()).toMatchObject({ status: "promoted", why: "30 of 30 tiers are promoted" });
    for (const { tier } of many) expect(it.share(`gate-${tier}`)).toBe(100);
    expect(it.rollout("t-07")).toMatchObject({ status: "promoted", attempt: { number: 2 } });
    expect(it.wave().notes.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^t-07 under-way: started; attempt 2 of this version: rollout r[\d-]+ was rolled back: /),
    );
    expect(Math.max(...it.started.map(({ open }) => open.length))).toBe(5);
  });

  it("shows that a tier waits whose step holds", async () => {
    const it = waveHarness(many.slice(0, 3), 3);
    await it.start([{ share: "50%", hold: true }, "100%"]);
    await runWave(it, 30_000);
    expect(it.wave().members).toMatchObject(Array(3).fill({ place: "under-way", waits: true }));
    expect(it.wave().why).toMatch(/t-00, t-01, t-02 wait for a person$/);
  });
});

describe("tiers with a watch after their promotion", () => {
  const watched: readonly TierSpec[] = [
    { tier: "news", level: "best-effort", watch: "5m" },
    { tier: "shop", level: "standard" },
  ];

  it("count as promoted when it begins, so the next level starts, and the wave ends with the last watch", async () => {
    const it = waveHarness(watched, 1);
    await it.start();
    await runWave(it, 60_000);
    expect([it.share("gate-news"), it.share("gate-shop")]).toEqual([95, 100]);
    expect(it.wave()).toMatchObject({ status: "running", why: "2 of 2 tiers are promoted; news still watched" });
    await runWave(it, 300_000);
    expect([it.share("gate-news"), it.wave().status]).toEqual([100, "promoted"]);
  });

  it("fail the wave when one comes back during its watch", async () => {
    const it = waveHarness([...watched, { tier: "pay", level: "core", watch: "5m" }], 1);
    await it.start();
    while (it.started.length < 2) await runWave(it, 2500);
    it.scenario.bad.add("news");
    await runWave(it, 60_000);
    expect(it.wave()).toMatchObject({ status: "failed", why: expect.stringMatching(/^news failed: errors: /) });
    expect(it.started.map(({ tier }) => tier)).toEqual(["news", "shop"]);
  });

  it("fail the wave also after all others are promoted", async () => {
    const it = waveHarness(watched, 1);
    await it.start();
    await runWave(it, 60_000);
    it.scenario.bad.add("news");
    await runWave(it, 20_000);
    expect([it.wave().status, it.share("gate-news")]).toEqual(["failed", -1]);
  });

  it("do not keep the next wave from starting: then the one before is promoted", async () => {
    const it = waveHarness(watched, 1);
    await it.start();
    await runWave(it, 60_000);
    it.upload("gate-shop", "next");
    await it.start();
    await it.reconcile();
    const [next, before] = await it.waves().history();
    expect([next?.status, before?.status]).toEqual(["running", "promoted"]);
    expect(before?.why).toBe("2 of 2 tiers are promoted; news still watched; alice started the next wave");
    expect(it.notices.map(({ type }) => type)).toEqual(["wave.started", "wave.promoted", "wave.started"]);
  });

  it("are shown as waiting while their watch is paused", async () => {
    const it = waveHarness(watched, 1);
    await it.start();
    await runWave(it, 60_000);
    await it.tier("news").ask("pause", "bob", "");
    await runWave(it, 10_000);
    expect(it.wave()).toMatchObject({
      status: "running",
      why: "2 of 2 tiers are promoted; news still watched; news waits for a person",
    });
  });

  it("are aborted with the wave only if all are", async () => {
    const it = waveHarness(watched, 1);
    await it.start();
    await runWave(it, 60_000);
    await it.command("abort", true);
    await runWave(it, 20_000);
    expect([it.share("gate-news"), it.share("gate-shop"), it.wave().status]).toEqual([-1, -1, "aborted"]);
  });
});
