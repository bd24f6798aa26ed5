/** The share that the platform runs beside the one that was decided, and what each state of a rollout or a wave exits with. */
import { describe, expect, it } from "vitest";
import type { Platform } from "../../functions/control/model/platform.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { waitingReason } from "../../functions/control/model/rollout-state.ts";
import type { Wave } from "../../functions/control/model/wave.ts";
import { rememberingPlatform } from "../../functions/control/rollout/live.ts";
import { attemptLines } from "../../infra/commands/operate/attempts.ts";
import { exitCodeOf, waveExitCodeOf } from "../../infra/commands/operate/exit-codes.ts";
import { readLive, shownShare } from "../../infra/commands/operate/live-share.ts";
import { rolloutLine, rolloutText } from "../../infra/commands/operate/rollout-view.ts";
import { ControlError } from "../../infra/release/control-client.ts";
import { rolloutHarness } from "./rollout-harness.ts";

const started = async (workers?: readonly string[]): Promise<Rollout> => {
  const it = rolloutHarness(workers);
  await it.start();
  return { ...it.state(), goal: { ...it.state().goal, share: 50 } };
};

const live = (worker: string, shares: Readonly<Record<string, number>>, message: string | null = null) => ({
  worker,
  versions: Object.entries(shares).map(([version_id, percentage]) => ({ version_id, percentage })),
  message,
  author: message === null ? null : "mallory",
  fault: null,
});

describe("the share", () => {
  it("is the platform's, with the decided one where they differ", async () => {
    const it = await started();
    const text = (shares: Readonly<Record<string, number>>, message?: string) => {
      const { text, notes } = shownShare(it, [live("gate-a", shares, message)]);
      return [text, ...notes].join("; ");
    };
    expect(text({ "gate-a-stable": 50, "gate-a-canary": 50 })).toBe("50 %");
    expect(text({ "gate-a-stable": 90, "gate-a-canary": 10 })).toBe("10 % (decided: 50 %)");
    expect(text({ "gate-a-stable": 100 })).toBe("0 % (decided: 50 %)");
    expect(text({ "gate-a-stable": 80, "2bc27417-f": 20 }, "by\u001bhand")).toMatch(
      /^0 % \(decided: 50 %\); gate-a runs another version: 2bc27417 at 20 %, deployed by mallory: by.*hand$/,
    );
    // A rollout that is over, too.
    const back: Rollout = { ...it, status: "rolled-back" };
    expect(shownShare(back, [live("gate-a", { "gate-a-canary": 100 })]).text).toBe("100 % (decided: 0 %)");
    const left: Rollout = { ...it, status: "left" };
    expect(shownShare(left, [live("gate-a", { "gate-a-stable": 100 })]).text).toBe("0 %");
  });

  it("is the decided one where the platform is unknown, and says so", async () => {
    const it = await started();
    expect(shownShare(it, null)).toEqual({ share: 50, text: "50 %", notes: [] });
    const refusing = { deployments: async () => ({ ok: false, status: 429, code: null, message: "too many calls" }) };
    const { live: read } = rememberingPlatform(refusing as never, refusing as never, () => 0);
    expect(shownShare(it, await read(["gate-a"]))).toEqual({
      share: 50,
      text: "50 %",
      notes: ["gate-a: the platform does not answer (too many calls)"],
    });
  });

  it("of several Workers is the main one's while they change one after the other", async () => {
    const it = await started(["gate-a", "gate-a--hot"]);
    const one = live("gate-a", { "gate-a-stable": 50, "gate-a-canary": 50 });
    const two = live("gate-a--hot", { "gate-a--hot-stable": 90, "gate-a--hot-canary": 10 });
    expect(shownShare(it, [one, two]).text).toBe("50 % in gate-a (decided: 50 %)");
  });

  it("is drawn in the bar and written into the pipe's line", async () => {
    const it = await started();
    const ten = [live("gate-a", { "gate-a-stable": 90, "gate-a-canary": 10 })];
    expect(rolloutText(it, it.startedAt, null, { live: ten })).toMatch(
      /^stable gate-a-s ={36}#{4} canary gate-a-c {2}10 % \(decided: 50 %\)$/m,
    );
    expect(rolloutLine(it, null, ten)).toContain("  running  10 % (decided: 50 %)  ");
  });

  it("is read from the platform once in ten seconds, however many people look, and what the rollout sees counts", async () => {
    const { ports, share } = rolloutHarness();
    let now = 0;
    const calls = { rollout: 0, people: 0 };
    const counting = (who: keyof typeof calls): Platform => ({
      ...ports.platform,
      deployments: (worker) => {
        calls[who]++;
        return ports.platform.deployments(worker);
      },
    });
    const platform = rememberingPlatform(counting("rollout"), counting("people"), () => now);
    const canary = async () =>
      (await platform.live(["gate-a"]))[0]?.versions?.find(({ version_id }) => version_id === "gate-a-canary")
        ?.percentage;
    const many = () => Promise.all(Array.from({ length: 50 }, canary));
    expect(new Set(await many())).toEqual(new Set([0]));
    expect(calls).toEqual({ rollout: 0, people: 1 });
    now = 9999;
    await many();
    expect(calls.people).toBe(1);
    now = 10_000;
    await platform.deployments("gate-a");
    await many();
    expect(calls).toEqual({ rollout: 1, people: 1 });
    // A new split is seen at once.
    const versions = [
      { version_id: "gate-a-stable", percentage: 50 },
      { version_id: "gate-a-canary", percentage: 50 },
    ];
    await platform.split("gate-a", versions, "a test");
    expect([share(), ...new Set(await many())]).toEqual([50, 50]);
    expect(calls).toEqual({ rollout: 1, people: 2 });
  });

  it("of an older control is unknown", async () => {
    for (const status of [404, 500]) {
      const older = { call: () => Promise.reject(new ControlError(status, "an older release")) };
      expect(await readLive(older as never, "/v1/tiers/a")).toBeNull();
    }
  });
});

it("0 is only for what is done", async () => {
  const it = await started();
  const code = (more: Partial<Rollout>) => exitCodeOf({ ...it, ...more });
  expect([
    code({ status: "promoted" }),
    code({ status: "rolled-back" }),
    code({ status: "returning" }),
    code({ status: "left" }),
    code({ status: "paused" }),
    code({ why: waitingReason(it) }),
    code({}),
  ]).toEqual([0, 4, 4, 4, 6, 7, 8]);

  const wave = (status: Wave["status"], ...waits: readonly boolean[]) =>
    waveExitCodeOf({
      status,
      concurrent: 2,
      members: waits.map((waits) => ({ place: "under-way", level: "core", waits })),
    } as unknown as Wave);
  expect([
    wave("promoted"),
    ...(["stopping", "failed", "aborting", "aborted"] as const).map((status) => wave(status, true)),
    wave("paused"),
    wave("running", true, true),
    wave("running", true, false),
  ]).toEqual([0, 4, 4, 4, 4, 6, 7, 8]);
});

it("shows which attempt at its version a rollout is, and what came before", () => {
  const earlier = [
    {
      id: "1fe43f7b",
      by: "alice",
      startedAt: 0,
      endedAt: Date.UTC(2026, 10, 30, 17),
      status: "rolled-back",
      why: "errors: 2 %",
    } as const,
  ];
  expect(attemptLines({ attempt: { number: 2, budget: 0.152, earlier } })).toEqual([
    "attempt 2 of this version, with 15 % of the error budget that its attempts share; before:",
    "  2026-11-30 17:00:00 UTC  rollout 1fe43f7b by alice: rolled back: errors: 2 %",
  ]);
  expect([attemptLines({ attempt: { number: 1, budget: 0.608, earlier: [] } }), attemptLines({})]).toEqual([[], []]);
});
