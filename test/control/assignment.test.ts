/** Which users get a new version first: others in each rollout, and the same ones within one. */
import { describe, expect, it } from "vitest";
import type { Rollout, RolloutStep } from "../../functions/control/model/rollout.ts";
import { epochSpreadMs, publishEpoch } from "../../functions/control/overlay/epochs.ts";
import type { Feed } from "../../functions/control/overlay/feed-client.ts";
import { newAssignment } from "../../functions/control/rollout/assignment.ts";
import { feedStoreOn } from "../../functions/feed/entries.ts";
import { frontName } from "../../functions/front/front-name.ts";
import { type RolloutHarness, rolloutHarness, runFor, steps } from "./rollout-harness.ts";

/** The splits that gave some users the one version and some the other. */
const divided = (it: RolloutHarness) => it.splits.filter(({ share }) => share > 0 && share < 100);

/** A harness whose Workers had a rollout that divided their users. */
const secondRollout = async (plannedSteps: readonly RolloutStep[] = steps, workers: readonly string[] = ["gate-a"]) => {
  const it = rolloutHarness(workers, plannedSteps);
  await it.start();
  await runFor(it, 10_000);
  await it.command("abort");
  await it.reconcile();
  expect(it.state().status).toBe("rolled-back");
  it.upload();
  it.splits.length = 0;
  return it;
};

describe("the users of a rollout", () => {
  it("keep their places in the first one, which waits for nothing", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 2000);
    expect([it.state().assignment, it.epochs.size, it.share()]).toEqual([undefined, 0, 1]);
  });

  it("are assigned anew in the next one while one version has all, and not again", async () => {
    const it = await secondRollout();
    await it.start();
    const { id } = it.state();
    await it.reconcile();
    const published = it.now();
    expect(it.epochs.get("gate-a")).toEqual({ epoch: id, shares: [100, 0] });
    expect(it.state().assignment).toEqual({ workers: ["gate-a"], from: published + epochSpreadMs });
    while (it.now() < published + epochSpreadMs) {
      expect(divided(it)).toEqual([]);
      it.advance(1000);
      await it.reconcile();
    }
    expect(divided(it)).toMatchObject([{ share: 1 }]);
    await runFor(it, 60_000);
    expect(it.state().status).toBe("promoted");
    expect(it.epochs.get("gate-a")?.epoch).toBe(id);
  });

  it("are assigned anew in a retry of the same version", async () => {
    const it = await secondRollout();
    await it.start({ retry: true });
    await it.reconcile();
    expect(it.epochs.get("gate-a")?.epoch).toBe(it.state().id);
  });

  it("keep their places after a smoke test that failed", async () => {
    const it = rolloutHarness();
    it.scenario.smoke = false;
    await it.start();
    await runFor(it, 3000);
    expect(it.state().status).toBe("rolled-back");
    it.upload();
    it.scenario.smoke = true;
    await it.start();
    expect(it.state().assignment).toBeUndefined();
  });

  it("keep their versions if they are divided already when the rollout starts", async () => {
    const it = await secondRollout();
    it.deployVersions("gate-a", [
      { version_id: "gate-a-stable", percentage: 90 },
      { version_id: "gate-a-canary", percentage: 10 },
    ]);
    await it.start();
    expect(it.state().assignment).toBeUndefined();
  });

  it("keep their versions if someone divides them before they are assigned anew", async () => {
    const it = await secondRollout(steps, ["gate-a", "gate-b"]);
    await it.start();
    it.deployForeign("gate-a", null, { "gate-a-stable": 60, other: 40 });
    await it.reconcile();
    expect([it.state().status, it.epochs.size]).toEqual(["paused", 0]);
    await it.command("resume");
    await runFor(it, 2000);
    expect([...it.epochs.keys()]).toEqual(["gate-b"]);
  });

  it("are assigned anew by the next rollout when it ends the watch of the last one", async () => {
    const watch: readonly RolloutStep[] = [
      { share: 50, bakeMs: 1000, hold: false },
      { share: 95, bakeMs: 3_600_000, hold: false, watch: true },
    ];
    const it = rolloutHarness(["gate-a"], watch);
    await it.start();
    await runFor(it, 10_000);
    expect([it.share(), it.state().status]).toEqual([95, "running"]);
    // The hold-back keeps its version until a newer version is deployed beside the promoted one.
    await it.reconcile();
    expect(it.epochs.size).toBe(0);
    it.deployVersions("gate-a", [
      { version_id: "gate-a-canary", percentage: 100 },
      { version_id: "gate-a-newer", percentage: 0 },
    ]);
    await it.start();
    await it.reconcile();
    expect(it.epochs.get("gate-a")).toEqual({ epoch: it.state().id, shares: [100, 0] });
  });

  it("return at once if it is aborted before its first share", async () => {
    const it = await secondRollout();
    await it.start();
    await runFor(it, 3000);
    await it.command("abort");
    await it.reconcile();
    expect([it.state().status, divided(it)]).toEqual(["rolled-back", []]);
    // Some fronts may not have its epoch yet, so the next rollout waits as well.
    it.upload();
    await it.start();
    await it.reconcile();
    expect(it.state().assignment).toMatchObject({ from: it.now() + epochSpreadMs });
    await runFor(it, epochSpreadMs - 1000);
    expect(divided(it)).toEqual([]);
  });

  it("get nothing of the new version while the feed is away, and the reason is shown", async () => {
    const it = await secondRollout();
    it.scenario.feedDown = true;
    await it.start();
    await it.reconcile();
    // Its smoke test needs no feed.
    expect(it.state().smoked || it.state().step > 0).toBe(true);
    await runFor(it, 60_000);
    expect([divided(it), it.state().why]).toEqual([
      [],
      "the users are not assigned anew yet (the feed does not answer); trying again",
    ]);
    it.scenario.feedDown = false;
    await it.reconcile();
    const published = it.now();
    await runFor(it, epochSpreadMs + 1000);
    expect([divided(it).length, it.state().assignment?.from]).toEqual([1, published + epochSpreadMs]);
  });

  it("are divided only when every front has the epoch, whenever control dies", async () => {
    for (let death = 0; death < 24; death++) {
      const it = await secondRollout();
      await it.start();
      const { id } = it.state();
      let published: number | undefined;
      await it.reconcile(death);
      for (const end = it.now() + 40_000; it.now() < end; it.advance(1000)) {
        if (it.epochs.has("gate-a")) published ??= it.now();
        if (divided(it).length > 0) break;
        await it.reconcile();
      }
      expect(it.now() - (published ?? it.now()), `death ${death}`).toBeGreaterThanOrEqual(epochSpreadMs);
      expect(it.epochs.get("gate-a")).toEqual({ epoch: id, shares: [100, 0] });
    }
  });

  it("wake control when they may be divided, and not all the time until then", async () => {
    const it = await secondRollout();
    await it.start();
    await it.reconcile();
    for (let count = 0; count < 40 && divided(it).length === 0; count++) {
      it.advance((it.alarm() ?? 0) - it.now());
      await it.reconcile();
      expect(count).toBeLessThan(10);
    }
    expect(it.now()).toBeGreaterThanOrEqual(it.state().assignment?.from ?? Number.NaN);
    expect(it.now()).toBeLessThan((it.state().assignment?.from ?? 0) + 100);
  });
});

describe("nobody is assigned anew", () => {
  const found = [
    {
      subject: { worker: "gate-a", stable: "1", canary: "2" },
      deployment: {
        id: "d",
        versions: [{ version_id: "1", percentage: 100 }],
        message: null,
        author: null,
        trigger: null,
      },
    },
  ];
  const earlier = [{ subjects: [found[0]?.subject], steps, step: 2 }] as unknown as readonly Rollout[];

  it.each<[string, string, readonly RolloutStep[], boolean]>([
    ["at a gate", "a", steps, true],
    ["at the front, whose users the platform divides ahead of it", frontName, steps, false],
    ["in a cutover, which divides by the gray key", "a/it", steps, false],
    ["if no step divides them", "a", steps.filter(({ share }) => share === 0 || share === 100), false],
  ])("%s", (_, tier, some, expected) => {
    const assignment = newAssignment({ tier, steps: some }, found, earlier);
    expect(assignment).toEqual(expected ? { workers: ["gate-a"], from: null } : undefined);
    expect(newAssignment({ tier, steps: some }, found, [])).toBeUndefined();
  });
});

describe("the epochs in the feed", () => {
  const harness = () => {
    const stored = new Map<string, unknown>();
    const store = feedStoreOn(
      {
        get: async (key: string) => stored.get(key),
        put: async (key: string, it: unknown) => void stored.set(key, it),
      } as never,
      () => 1e15,
    );
    const writes: string[] = [];
    let last: ReturnType<Feed["write"]> = Promise.resolve(undefined);
    const feed: Feed = {
      read: () => store.read(),
      write: (name, revision, entries) => {
        writes.push(name);
        // A Durable Object does one write after the other.
        last = last.then(() => store.write(revision, entries));
        return last;
      },
    };
    const epochs = async () => (await store.read()).entries;
    return { feed, writes, epochs };
  };
  const known = new Set(["gate-a", "gate-b"]);

  it("are one entry that never expires, written once for each rollout", async () => {
    const { feed, writes, epochs } = harness();
    await publishEpoch(feed, known, ["gate-a"], "r1");
    await publishEpoch(feed, known, ["gate-a"], "r1");
    await publishEpoch(feed, known, ["gate-b"], "r2");
    expect(writes).toEqual([frontName, frontName]);
    expect(await epochs()).toMatchObject([{ kind: "epochs", epochs: { "gate-a": "r1", "gate-b": "r2" } }]);
  });

  it("of rollouts that start together are all written, and those of removed Workers forgotten", async () => {
    const { feed, epochs } = harness();
    await publishEpoch(feed, new Set(["gate-old"]), ["gate-old"], "r0");
    await Promise.all([publishEpoch(feed, known, ["gate-a"], "r1"), publishEpoch(feed, known, ["gate-b"], "r2")]);
    expect(await epochs()).toMatchObject([{ epochs: { "gate-a": "r1", "gate-b": "r2" } }]);
    expect((await epochs())[0]).not.toHaveProperty("epochs.gate-old");
  });
});
