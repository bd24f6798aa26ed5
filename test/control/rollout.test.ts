/** A rollout's behavior with good and bad versions, people's commands and a failing platform. */

import { describe, expect, it } from "vitest";
import { positionOf } from "../../functions/control/model/approval.ts";
import { Refusal } from "../../functions/control/model/refusal.ts";
import { rolloutText } from "../../infra/commands/operate/rollout-view.ts";
import { type RolloutHarness, rolloutHarness, runFor } from "./rollout-harness.ts";

describe("a good version", () => {
  it("advances step by step, each after its bake, until all users have it", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 60_000);
    expect(it.splits.map(({ share }) => share)).toEqual([0, 1, 10, 50, 100]);
    expect(it.splits.map(({ message }) => message.replace(/^postern \S+: /, ""))).toEqual([
      "0 %",
      "1 %",
      "10 %",
      "50 %",
      "100 %",
    ]);
    expect(it.state().status).toBe("promoted");
    expect(it.newest()?.versions).toEqual([{ version_id: "gate-a-canary", percentage: 100 }]);
    expect(it.notices.map(({ type }) => type)).toContain("rollout.promoted");
  });

  it("is split in all Workers of its tier", async () => {
    const it = rolloutHarness(["gate-a", "gate-a--hot"]);
    await it.start();
    await runFor(it, 60_000);
    expect([it.share("gate-a"), it.share("gate-a--hot")]).toEqual([100, 100]);
  });

  it("waits for evidence, then for a person, and never decides without", async () => {
    const it = rolloutHarness();
    it.scenario.verdict = "not-enough";
    await it.start();
    await runFor(it, 60_000);
    expect(it.share()).toBe(1);
    expect(it.state()).toMatchObject({
      status: "paused",
      why: expect.stringMatching(/^not enough evidence after \d+ s at 1 %; open: errors$/),
    });
  });
});

describe("a version that is held", () => {
  it.each([
    ["from its first user on", 3_000],
    ["long after the bake", 20_000],
  ])("%s has one more bake to be confirmed or to pass, and then waits for a person", async (_, after) => {
    const it = rolloutHarness();
    it.scenario.verdict = "not-enough";
    await it.start();
    await runFor(it, after);
    it.scenario.verdict = "hold";
    await runFor(it, 4_000);
    expect(it.state().status).toBe("running");
    await runFor(it, 9_000);
    expect([it.share(), it.state().status]).toEqual([1, "paused"]);
    expect(it.state().why).toMatch(/^held at 1 %: /);
    it.scenario.verdict = "fail";
    await runFor(it, 6_000);
    expect(it.state().status).toBe("rolled-back");
  });
});

describe("unavailable telemetry", () => {
  it("lets no step pass, and the rollout continues when telemetry is back", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    it.scenario.telemetryDown = true;
    await runFor(it, 15_000);
    expect([it.share(), it.state().status]).toEqual([1, "running"]);
    it.scenario.telemetryDown = false;
    await runFor(it, 60_000);
    expect(it.state().status).toBe("promoted");
  });

  it("pauses the rollout after the evidence timeout, so that a person decides", async () => {
    const it = rolloutHarness();
    it.scenario.telemetryDown = true;
    await it.start();
    await runFor(it, 60_000);
    expect([it.share(), it.state().status]).toEqual([1, "paused"]);
  });
});

describe("a version that is held, since clients could cause what speaks against it", () => {
  const held = async (ms: number): Promise<RolloutHarness> => {
    const it = rolloutHarness();
    it.scenario.verdict = "hold";
    await it.start();
    await runFor(it, ms);
    return it;
  };

  it("keeps its share for one more bake, and is then paused for a person", async () => {
    const before = (await held(8000)).state();
    expect(before).toMatchObject({
      status: "running",
      why: expect.stringMatching(/^the bake is over; held by errors/),
    });
    const it = await held(30_000);
    expect(it.state()).toMatchObject({ status: "paused", why: "held at 1 %: errors: 2 % against 0" });
    expect(it.share()).toBe(1);
  });

  it("is paused as held also where the evidence timeout is shorter than the bake, and the view says when", async () => {
    const it = rolloutHarness();
    it.scenario.verdict = "hold";
    await it.start({ patienceMs: 4000 });
    await runFor(it, 6_500);
    expect(rolloutText(it.state(), it.now(), null, { columns: 200 })).toMatch(
      /\nneeds {2}held; if it does not pass, it pauses in \d s, at /,
    );
    await runFor(it, 6_000);
    expect(it.state()).toMatchObject({ status: "paused", why: "held at 1 %: errors: 2 % against 0" });
  });

  it("is rolled back as soon as others confirm it, also out of the pause", async () => {
    const it = await held(30_000);
    it.scenario.verdict = "fail";
    await runFor(it, 10_000);
    expect(it.state().status).toBe("rolled-back");
  });
});

describe("a bad version", () => {
  it("is rolled back in one call, and the findings are stored", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 9_000);
    it.scenario.verdict = "fail";
    await runFor(it, 5_000);
    expect(it.newest()?.versions).toEqual([{ version_id: "gate-a-stable", percentage: 100 }]);
    expect(it.splits.filter(({ share }) => share === -1)).toHaveLength(1);
    expect(it.state()).toMatchObject({
      status: "rolled-back",
      why: "errors: 2 % against 0",
      verdict: { verdict: "fail" },
    });
    await runFor(it, 60_000);
    expect(it.splits.at(-1)?.share).toBe(-1);
  });

  it("is rolled back before the bake ends", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 2_000);
    it.scenario.verdict = "fail";
    await it.reconcile();
    expect(it.state().status).toBe("rolled-back");
  });

  it("that fails its smoke test gets no users", async () => {
    const it = rolloutHarness();
    it.scenario.smoke = false;
    await it.start();
    await runFor(it, 10_000);
    expect(it.splits.map(({ share }) => share)).toEqual([0, -1]);
    expect(it.state().why).toBe("smoke test GET /: answered 500");
  });

  it("is rolled back by abort, also after its promotion", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 60_000);
    await it.command("abort", "bob", "customers call");
    await it.reconcile();
    expect(it.newest()?.versions).toEqual([{ version_id: "gate-a-stable", percentage: 100 }]);
    expect(it.state()).toMatchObject({ status: "rolled-back", why: "bob aborted it: customers call" });
  });
});

describe("commands of people", () => {
  it("concurrent starts: the second is refused with the name of the first operator", async () => {
    const it = rolloutHarness();
    await it.start();
    await expect(it.start()).rejects.toThrow(new Refusal("a rollout of a is under way, by alice"));
  });

  it("concurrent promotions: the rollout advances one step, and the second is refused", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    const both = await Promise.allSettled([it.command("promote", "alice", ""), it.command("promote", "bob", "")]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await it.reconcile();
    expect(it.share()).toBe(10);
  });

  it("pause keeps the share, resume continues", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    await it.command("pause", "alice", "lunch");
    await runFor(it, 60_000);
    expect([it.share(), it.state().status]).toEqual([1, "paused"]);
    await it.command("resume", "alice", "");
    await runFor(it, 60_000);
    expect(it.state().status).toBe("promoted");
  });

  it("long reasons never exceed the size of a stored value, which would block the next rollout", async () => {
    const it = rolloutHarness();
    for (let count = 0; count < 30; count++) {
      await it.start();
      for (let turn = 0; turn < 50; turn++) {
        await it.command("pause", "alice", "x".repeat(500));
        await it.command("resume", "alice", "x".repeat(500));
      }
      await it.command("abort", "alice", "");
      await runFor(it, 3_000);
      expect(it.state().status).toBe("rolled-back");
      it.upload();
    }
    const past = (await it.ports.storage.get("past")) as unknown[];
    expect(JSON.stringify(past).length).toBeLessThan(1_000_000);
    expect(past.length).toBeGreaterThan(5);
  });

  it.each(["pause", "resume", "promote"] as const)("%s is refused when the rollout is over", async (command) => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 60_000);
    await expect(it.command(command, "alice", "")).rejects.toThrow("this rollout is promoted");
  });

  it("a resume that was approved during one pause does not end another", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 2_000);
    await it.command("pause", "alice", "a slow day");
    const approved = positionOf(it.state());
    await it.command("resume", "alice and bob", "", approved);
    await it.reconcile();
    await it.command("pause", "carol", "an incident");
    expect(it.state()).toMatchObject({ step: approved.step, status: approved.status });
    await expect(it.command("resume", "alice and bob", "", approved)).rejects.toThrow(
      /what was approved does not hold: rollout \S+ has been resumed since; propose it again/,
    );
    expect(it.state().status).toBe("paused");
  });

  it.each(["promote", "resume"] as const)(
    "an approved %s does not overwrite what someone else has deployed since",
    async (command) => {
      const it = rolloutHarness();
      await it.start();
      await runFor(it, 2_000);
      await it.command("pause", "alice", "a slow day");
      const approved = positionOf(it.state());
      it.deployForeign();
      await runFor(it, 120_000);
      expect(it.state()).toMatchObject({ status: "paused", foreign: true, goal: { seq: approved.seq } });
      await expect(it.command(command, "alice and bob", "", approved)).rejects.toThrow(
        /what was approved does not hold: gate-a was deployed by \S+ during the rollout, which nobody approved to overwrite/,
      );
      await it.command(command, "alice and bob", "", positionOf(it.state()));
      expect(it.state().status).toBe("running");
    },
  );

  it("an approved promotion does not hold for a version that fails since", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 9_000);
    it.deployForeign("gate-a", null, { "gate-a-stable": 50, "gate-a-canary": 50 });
    await runFor(it, 60_000);
    const approved = positionOf(it.state());
    it.scenario.verdict = "fail";
    await runFor(it, 60_000);
    await expect(it.command("promote", "alice and bob", "", approved)).rejects.toThrow(
      /the new version of rollout \S+ fails since/,
    );
  });

  it("a start with nothing to release is refused with a remedy", async () => {
    const it = rolloutHarness();
    it.deployForeign();
    await expect(it.start()).rejects.toThrow("postern deploy a --split 0");
  });
});

describe("someone else's deployment during a rollout", () => {
  it("pauses the rollout, and is not overwritten", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 9_000);
    it.deployForeign();
    const before = it.splits.length;
    it.scenario.verdict = "fail";
    await runFor(it, 60_000);
    expect(it.splits).toHaveLength(before);
    expect(it.state()).toMatchObject({ status: "paused", why: "gate-a was deployed by mallory during the rollout" });
  });

  it("is kept by an abort", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    it.deployForeign();
    await runFor(it, 3_000);
    await it.command("abort", "alice", "theirs is right");
    await runFor(it, 10_000);
    expect(it.newest()?.versions).toEqual([{ version_id: "other", percentage: 100 }]);
    expect(it.state().status).toBe("left");
  });

  it("that a changed secret caused pauses the rollout too, with a remedy", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 3_000);
    it.deployForeign("gate-a", "secret");
    await runFor(it, 3_000);
    expect(it.state().why).toBe(
      "a secret of gate-a was changed during the rollout; start it again with a version built since",
    );
  });
});

describe("a platform that fails", () => {
  const busy = { status: 429, code: 971, message: "Please wait", retryAfterMs: 7000 };

  it("429: retried, not before its Retry-After", async () => {
    const it = rolloutHarness();
    it.scenario.faults = [busy];
    await it.start();
    await runFor(it, 6_000);
    expect(it.splits).toHaveLength(0);
    expect(it.state().why).toContain("Please wait");
    await runFor(it, 4_000);
    expect(it.splits.map(({ share }) => share)).toEqual([0, 1]);
  });

  it("a lost answer: the split is observed and not repeated", async () => {
    const it = rolloutHarness();
    it.scenario.faults = ["lost"];
    await it.start();
    await runFor(it, 4_000);
    expect(it.splits.filter(({ share }) => share === 0)).toHaveLength(1);
    expect(it.state().goal.share).toBe(1);
  });

  it("repeated 500: paused after eight attempts, with the platform's message", async () => {
    const it = rolloutHarness();
    it.scenario.faults = Array.from({ length: 100 }, () => ({ status: 500, code: 10013, message: "unknown error" }));
    await it.start();
    await runFor(it, 300_000);
    expect(it.scenario.faults).toHaveLength(92);
    expect(it.state()).toMatchObject({ status: "paused", why: "gate-a: unknown error (10013)" });
  });

  it("500 during a rollback: retried until it succeeds", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 9_000);
    it.scenario.verdict = "fail";
    it.scenario.faults = Array.from({ length: 30 }, () => ({ status: 503, code: null, message: "down" }));
    await runFor(it, 1_200_000);
    expect(it.state().status).toBe("rolled-back");
    expect(it.share()).toBe(-1);
  });

  it("a refusal: paused at once; across a changed secret with a remedy", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 9_000);
    it.scenario.verdict = "fail";
    it.scenario.faults = [{ status: 400, code: 10220, message: "secrets have changed: KEY" }];
    await runFor(it, 3_000);
    expect(it.state().why).toBe(
      "gate-a: secrets have changed: KEY (10220); redeploy the older manifest, which keeps the current secrets: npx postern deploy",
    );
  });
});

describe("notices", () => {
  const types = (it: RolloutHarness) => it.notices.map(({ type }) => type);

  it("report each decision, and who made it", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 4_000);
    await it.command("pause", "bob", "lunch");
    await it.command("resume", "bob");
    it.scenario.verdict = "fail";
    await runFor(it, 20_000);
    expect(types(it)).toEqual([
      "rollout.started",
      "rollout.step",
      "rollout.paused",
      "rollout.resumed",
      "rollout.failed",
      "rollout.rolled_back",
    ]);
    expect(it.notices.map(({ data }) => (data as { readonly actor: string | null }).actor)).toEqual([
      "alice",
      null,
      "bob",
      "bob",
      null,
      null,
    ]);
    expect(it.notices[4]?.data).toMatchObject({ why: "errors: 2 % against 0", verdict: { verdict: "fail" } });
  });

  it("wait for an unavailable outbox, and delay no decision", async () => {
    const it = rolloutHarness();
    it.scenario.outboxDown = true;
    await it.start();
    await runFor(it, 60_000);
    expect([it.state().status, it.notices]).toEqual(["promoted", []]);
    expect(it.alarm()).toBeGreaterThan(it.now() - 3000);
    it.scenario.outboxDown = false;
    await it.reconcile();
    expect([types(it).at(0), types(it).at(-1)]).toEqual(["rollout.started", "rollout.promoted"]);
  });

  it("are sent after a crash at any point, under the same id", async () => {
    const noticesAfterCrash = async (dieAt: number) => {
      const it = rolloutHarness();
      await it.start();
      for (let looks = 0; looks < 60; looks++) {
        // Dies once in its first reconciliations, and again in its last.
        if (looks === 2 || looks === 30) await it.reconcile(dieAt);
        await it.reconcile();
        it.advance(1000);
      }
      return it.notices.map(({ id, type }) => `${id.replace(/^msg_[^_]+_/, "")} ${type}`);
    };
    const whole = await noticesAfterCrash(Number.POSITIVE_INFINITY);
    expect(whole.at(-1)).toMatch(/ rollout\.promoted$/);
    for (let dieAt = 0; dieAt < 24; dieAt++) expect([...new Set(await noticesAfterCrash(dieAt))]).toEqual(whole);
  });
});
