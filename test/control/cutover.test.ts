/** The rollout of a route's cutover: the overlay is the platform, and others write to it concurrently. */

import { describe, expect, it } from "vitest";
import { movedShare, overlayPlatform, renewEntry } from "../../functions/control/cutover/platform.ts";
import type { ControlPlan, TierFacts } from "../../functions/control/model/plan.ts";
import { stepsOf } from "../../functions/control/model/release.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { subjectFacts } from "../../functions/control/model/subject.ts";
import { driftOf } from "../../functions/control/overlay/changes.ts";
import type { Feed } from "../../functions/control/overlay/feed-client.ts";
import { rolloutController } from "../../functions/control/rollout/controller.ts";
import type { RolloutPorts } from "../../functions/control/rollout/ports.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { feedStoreOn } from "../../functions/feed/entries.ts";
import type { OverlayEntry } from "../../functions/gateway/overlay/overlay.ts";
import { verdictOf } from "./rollout-harness.ts";

const day = 86_400_000;
const name = "wallet/balance";

const cutoverHarness = (percent = "0%") => {
  const stored = new Map<string, unknown>();
  let time = 1_000_000;
  let ids = 0;
  const scenario = { verdict: "pass" as "pass" | "fail", lost: 0 };
  const storage = {
    get: async (key: string) => structuredClone(stored.get(key)),
    put: async (keyOrEntries: string | object, value?: unknown) => {
      const all = Object.entries(typeof keyOrEntries === "string" ? { [keyOrEntries]: value } : keyOrEntries);
      for (const [key, one] of all) stored.set(key, structuredClone(one));
    },
    setAlarm: async () => {},
  };
  const entries = feedStoreOn(storage as never, () => time);
  const feed: Feed = {
    read: () => entries.read(),
    write: async (_, revision, all) => {
      const state = await entries.write(revision, all);
      if (scenario.lost-- > 0) throw new Error("no answer");
      return state;
    },
  };
  const facts = {
    level: "core",
    workers: ["gate-wallet"],
    filters: {},
    routes: { balance: { filters: [], cutover: { legacy: "old", percent } }, plain: { filters: [] } },
  } as unknown as TierFacts;
  const plan = { tiers: { wallet: facts }, frontFacts: facts } satisfies Pick<ControlPlan, "tiers" | "frontFacts">;
  const now = () => time;
  const uuid = () => `id${++ids}-0000-0000`;
  const ports: RolloutPorts = {
    storage: storage as unknown as RolloutPorts["storage"],
    platform: overlayPlatform(feed, plan, { now, uuid }),
    evidence: async () => ({}) as Stage,
    judge: () => verdictOf(scenario.verdict),
    queries: async () => [],
    smoke: async () => ({ ok: true, why: "" }),
    publishEpoch: async () => {},
    notify: async () => {},
    now,
    random: () => 0.5,
    uuid,
  };
  const controller = rolloutController(ports);
  return {
    scenario,
    facts,
    plan,
    feed,
    entries: async () => (await feed.read("wallet")).entries,
    moved: async () => movedShare((await feed.read("wallet")).entries, "balance", facts),
    start: (steps: Rollout["steps"] = [10, 100].map((share) => ({ share, bakeMs: 5000, hold: false }))) =>
      controller.start({
        tier: name,
        facts: subjectFacts(plan, name) as TierFacts,
        steps,
        patienceMs: 20_000,
        tolerate: { errors: "+1pp", p99: "+20%", refusals: "+1pp" },
        smoke: [],
        by: "alice",
        reason: "a test",
      }),
    ask: controller.ask,
    state: async () => (await controller.status()) as Rollout,
    now,
    runFor: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 1000) {
        time += 1000;
        await controller.reconcile();
      }
    },
    advance: (ms: number) => {
      time += ms;
    },
    addEntry: async (share: string) => {
      const { revision, entries } = await feed.read("wallet");
      const entry: OverlayEntry = {
        kind: "cutover",
        route: "balance",
        percent: share,
        id: uuid(),
        until: time + day,
        by: "bob",
        reason: "mine",
      };
      await feed.write("wallet", revision, [...entries, entry]);
    },
  };
};

describe("a cutover", () => {
  it("exists only for a route with an old gateway", () => {
    const { plan } = cutoverHarness();
    expect(subjectFacts(plan, name)?.workers).toEqual([name]);
    expect(["wallet/plain", "wallet/constructor", "toString/balance"].map((it) => subjectFacts(plan, it))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(subjectFacts(plan, "wallet")?.workers).toEqual(["gate-wallet"]);
  });

  it("moves users step by step, with one overlay entry", async () => {
    const it = cutoverHarness();
    await it.start();
    await it.runFor(3000);
    expect([await it.moved(), (await it.state()).subjects]).toEqual([
      0.1,
      [{ worker: name, stable: "legacy", canary: "gate" }],
    ]);
    await it.runFor(20_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([1, "promoted"]);
    expect(await it.entries()).toMatchObject([{ kind: "cutover", percent: "100%", by: "control" }]);
  });

  it("rolls back to the old gateway even if it started above half", async () => {
    const it = cutoverHarness("75%");
    await it.start();
    await it.runFor(3000);
    it.scenario.verdict = "fail";
    await it.runFor(3000);
    expect([await it.moved(), (await it.state()).status]).toEqual([0, "rolled-back"]);
  });

  it("is rolled back by abort, also after all users were moved", async () => {
    const it = cutoverHarness();
    await it.start();
    await it.runFor(20_000);
    await it.ask("abort", "bob", "it hurts");
    await it.runFor(1000);
    expect([await it.moved(), (await it.state()).status]).toEqual([0, "rolled-back"]);
  });

  it("does nothing twice if an answer is lost", async () => {
    const it = cutoverHarness();
    await it.start();
    it.scenario.lost = 1;
    await it.runFor(2000);
    expect([await it.moved(), (await it.feed.read("wallet")).revision]).toEqual([0.1, 1]);
    expect((await it.state()).goal.done).toEqual([name]);
  });

  it("pauses when someone else moves users, and does not overwrite them", async () => {
    const it = cutoverHarness();
    await it.start();
    await it.runFor(2000);
    await it.addEntry("3%");
    await it.runFor(20_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([0.03, "paused"]);
    expect((await it.state()).why).toContain("by bob");
    await it.ask("resume", "alice", "");
    await it.runFor(20_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([1, "promoted"]);
  });
});

describe("the overlay entry of a cutover", () => {
  const promoted = async (percent?: string) => {
    const it = cutoverHarness(percent);
    await it.start();
    await it.runFor(20_000);
    return it;
  };
  const renewedIn = async (it: Awaited<ReturnType<typeof promoted>>) =>
    renewEntry(await it.state(), it.facts, it.now())(await it.entries());

  it("is renewed while the manifest differs, and drift shows what to write", async () => {
    const it = await promoted();
    expect(await renewedIn(it)).toEqual(await it.entries());
    it.advance(4 * day);
    const [entry] = await renewedIn(it);
    expect(entry?.until).toBe(it.now() + 7 * day);
    expect(driftOf(entry as OverlayEntry, it.facts)).toBe(
      "differs from the manifest; write `percent: 100%` into the `cutover` of balance",
    );
  });

  it("expires when the manifest has the same share", async () => {
    const it = await promoted();
    it.advance(4 * day);
    const facts = cutoverHarness("100%").facts;
    const before = await it.entries();
    expect(renewEntry(await it.state(), facts, it.now())(before)).toBe(before);
    expect(driftOf(before[0] as OverlayEntry, facts)).toBe("same as the manifest");
  });

  it("is not renewed if someone else wrote it", async () => {
    const it = await promoted();
    await it.addEntry("3%");
    const before = await it.entries();
    it.advance(day / 2);
    expect(renewEntry(await it.state(), it.facts, it.now())(before)).toBe(before);
  });
});

describe("the watch after a cutover", () => {
  const steps = stepsOf({ steps: ["10%", "100%"], bake: "5s", watch: { for: "2m", "hold-back": "20%" } });
  const inWatch = async () => {
    const it = cutoverHarness();
    await it.start(steps);
    await it.runFor(12_000);
    expect(await it.moved()).toBe(0.8);
    return it;
  };

  it("keeps the hold-back at the old gateway, then moves all users", async () => {
    const it = await inWatch();
    await it.runFor(60_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([0.8, "running"]);
    await it.runFor(62_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([1, "promoted"]);
  });

  it("returns all users to the old gateway if the gate fails", async () => {
    const it = await inWatch();
    it.scenario.verdict = "fail";
    await it.runFor(10_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([0, "rolled-back"]);
  });

  it.each([
    ["100%", 1, "promoted"],
    ["30%", 0.3, "paused"],
    ["0%", 0, "paused"],
  ] as const)("a person who moves %s of the users by an entry is not overwritten", async (share, moved, status) => {
    const it = await inWatch();
    await it.addEntry(share);
    await it.runFor(35_000);
    it.scenario.verdict = "fail";
    await it.runFor(35_000);
    expect([await it.moved(), (await it.state()).status]).toEqual([moved, status]);
  });
});
