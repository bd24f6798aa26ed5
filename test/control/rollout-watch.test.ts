/** The watch after a promotion: most users have the new version, a hold-back stays on stable, and a failure still rolls back. */
import { describe, expect, it } from "vitest";
import { Refusal } from "../../functions/control/model/refusal.ts";
import { release as releaseSchema, stepsOf } from "../../functions/control/model/release.ts";
import { stateOf } from "../../functions/control/notifications/github.ts";
import { payloadOf } from "../../functions/control/notifications/payloads.ts";
import { withAlerts } from "../../functions/control/rollout/watch.ts";
import { type RolloutHarness, rolloutHarness, runFor, verdictOf } from "./rollout-harness.ts";

const types = ({ notices }: RolloutHarness) => notices.map(({ type }) => type);

const settings = (watch: unknown) => releaseSchema.parse({ steps: ["0%", "10%", "100%"], bake: "5s", watch });

/** A rollout in its watch. */
const inWatch = async (watch: unknown): Promise<RolloutHarness> => {
  const it = rolloutHarness(["gate-a"], stepsOf(settings(watch)));
  await it.start();
  await runFor(it, 10_000);
  expect(it.state().steps[it.state().step]?.watch).toBe(true);
  return it;
};

const heldBack = () => inWatch("1m");
const withoutHoldBack = () => inWatch({ for: "1m", "hold-back": "0%" });

describe("the steps of a release with a watch", () => {
  it.each([
    ["1h", [0, 10, 95, 100], 2, 3_600_000],
    [{ for: "30m", "hold-back": "0.5%" }, [0, 10, 99.5, 100], 2, 1_800_000],
    [{ for: "30m", "hold-back": "0%" }, [0, 10, 100], 2, 1_800_000],
    [{ for: "30m" }, [0, 10, 95, 100], 2, 1_800_000],
    ["0s", [0, 10, 100], -1, undefined],
    [undefined, [0, 10, 100], -1, undefined],
  ])("%j", (watch, shares, at, ms) => {
    const steps = stepsOf(settings(watch));
    expect(steps.map(({ share }) => share)).toEqual(shares);
    expect(steps.findIndex(({ watch }) => watch)).toBe(at);
    expect(steps[at]?.bakeMs).toBe(ms);
  });

  it("the admin API refuses a hold-back that takes users back", () => {
    const read = releaseSchema.safeParse({ steps: ["97%", "100%"], watch: "1h" });
    expect(read.error?.issues).toMatchObject([{ path: ["watch"] }]);
    expect(releaseSchema.safeParse({ steps: ["95%", "100%"], watch: "1h" }).success).toBe(true);
  });
});

describe("with a hold-back", () => {
  it("all users get the new version at its end, even without enough evidence", async () => {
    const it = await heldBack();
    expect(it.newest()?.versions).toEqual([
      { version_id: "gate-a-stable", percentage: 5 },
      { version_id: "gate-a-canary", percentage: 95 },
    ]);
    expect(it.state().why).toBe(
      "95 % of the users have the new version; watched for 60 s, while 5 % stay on the stable version",
    );
    it.scenario.verdict = "not-enough";
    await runFor(it, 40_000);
    expect(it.share()).toBe(95);
    await runFor(it, 20_000);
    expect([it.share(), it.state().status]).toEqual([100, "promoted"]);
  });

  it("a failure rolls back", async () => {
    const it = await heldBack();
    await runFor(it, 20_000);
    it.scenario.verdict = "fail";
    await runFor(it, 10_000);
    expect([it.share(), it.state().status, it.state().why]).toEqual([-1, "rolled-back", "errors: 2 % against 0"]);
  });

  it("abort rolls back; promote ends the watch", async () => {
    const aborted = await heldBack();
    await aborted.command("abort", "alice");
    await runFor(aborted, 2_000);
    expect([aborted.share(), aborted.state().status]).toEqual([-1, "rolled-back"]);
    const promoted = await heldBack();
    await promoted.command("promote", "alice");
    await runFor(promoted, 2_000);
    expect([promoted.share(), promoted.state().status]).toEqual([100, "promoted"]);
  });

  it("its notices begin with the watch and end with the promotion, and receivers and GitHub know them", async () => {
    const it = await heldBack();
    await runFor(it, 70_000);
    expect(types(it)).toEqual([
      "rollout.started",
      "rollout.step",
      "rollout.watching",
      "rollout.step",
      "rollout.promoted",
    ]);
    expect(it.notices.map(stateOf)).toEqual(["in_progress", "in_progress", "in_progress", "in_progress", "success"]);
    const data = it.notices[2]?.data;
    payloadOf("rollout.watching").shape.data.parse(data);
    expect(data).toMatchObject({ status: "running", share: 95, steps: [0, 10, 95, 100] });
  });

  it("goes on while paused, and a resume after its time ends it", async () => {
    const it = await heldBack();
    await it.command("pause", "alice");
    await runFor(it, 90_000);
    expect(it.share()).toBe(95);
    await it.command("resume", "alice");
    await runFor(it, 5_000);
    expect([it.share(), it.state().status]).toEqual([100, "promoted"]);
  });
});

describe("without a hold-back", () => {
  it("all users have the new version, and it ends with its time", async () => {
    const it = await withoutHoldBack();
    expect(it.newest()?.versions).toEqual([{ version_id: "gate-a-canary", percentage: 100 }]);
    expect(it.state()).toMatchObject({
      status: "running",
      why: "all users have the new version; watched for 60 s, without a hold-back",
    });
    const splits = it.splits.length;
    await runFor(it, 61_000);
    expect([it.state().status, it.splits.length]).toEqual(["promoted", splits]);
  });

  it.each(["errors", "refusals", "latency", "sample-ratio"] as const)("%s only alert, once", async (criterion) => {
    const it = await withoutHoldBack();
    Object.assign(it.scenario, { verdict: "fail", criterion });
    await runFor(it, 20_000);
    expect([it.share(), it.state().status]).toEqual([100, "running"]);
    expect(types(it).filter((type) => type === "rollout.alert")).toHaveLength(1);
    expect(it.notices.at(-1)?.data).toMatchObject({
      why: "errors: 2 % against 0; control does not act: no users are left on the stable version to compare with",
    });
    await runFor(it, 60_000);
    expect(it.state().status).toBe("promoted");
  });

  it.each(["limit", "query", "faults"] as const)("a %s rolls back", async (criterion) => {
    const it = await withoutHoldBack();
    Object.assign(it.scenario, { verdict: "fail", criterion });
    await runFor(it, 10_000);
    expect([it.share(), it.state().status]).toEqual([-1, "rolled-back"]);
  });

  it("a hold alerts once, and changes nothing", async () => {
    const it = await withoutHoldBack();
    Object.assign(it.scenario, { verdict: "hold", criterion: "limit" });
    await runFor(it, 20_000);
    expect([it.share(), it.state().status]).toEqual([100, "running"]);
    expect(types(it).filter((type) => type === "rollout.alert")).toHaveLength(1);
  });

  it("a failure alerts that was held before, and then neither once more", async () => {
    const it = await withoutHoldBack();
    const kinds = (["hold", "fail", "hold", "fail"] as const).map((verdict) => verdictOf(verdict));
    const { alerts } = kinds.reduce((state, verdict) => withAlerts(state, verdict, it.now()), it.state());
    expect(alerts?.map(({ held }) => held)).toEqual([true, undefined]);
  });

  it("promote ends it without another deployment", async () => {
    const it = await withoutHoldBack();
    const splits = it.splits.length;
    await it.command("promote", "alice");
    await runFor(it, 2_000);
    expect([it.state().status, it.splits.length]).toEqual(["promoted", splits]);
  });
});

describe("a deployment during the watch", () => {
  const uploadNext = (it: RolloutHarness) =>
    it.deployForeign("gate-a", null, { "gate-a-canary": 100, "gate-a-next": 0 });

  it("of a newer version at 0 % ends it: the new version has become the stable one", async () => {
    const it = await heldBack();
    uploadNext(it);
    it.advance(30_000);
    await it.reconcile();
    expect(it.state()).toMatchObject({ status: "promoted", why: "all users have the new version" });
    expect(it.state().notes.at(-2)?.what).toBe("running: gate-a was deployed by mallory, which ended the watch");
    expect(it.newest()?.versions).toHaveLength(2);
  });

  it("of one of several Workers: the others get the new version for all users first", async () => {
    const it = rolloutHarness(["gate-a", "gate-a--hot"], stepsOf(settings("1m")));
    await it.start();
    await runFor(it, 10_000);
    expect([it.share("gate-a"), it.share("gate-a--hot")]).toEqual([95, 95]);
    uploadNext(it);
    const next = await it.start();
    expect(next.subjects).toMatchObject([{ worker: "gate-a", stable: "gate-a-canary", canary: "gate-a-next" }]);
    expect(it.newest("gate-a--hot")?.versions).toEqual([{ version_id: "gate-a--hot-canary", percentage: 100 }]);
  });

  it("and a start before control has seen it: the next rollout starts, the one before is promoted in the history", async () => {
    const it = await heldBack();
    uploadNext(it);
    const next = await it.start();
    expect(next.subjects).toMatchObject([{ stable: "gate-a-canary", canary: "gate-a-next" }]);
    await it.reconcile();
    expect((await it.ports.storage.get<{ status: string; why: string }[]>("past"))?.at(-1)).toMatchObject({
      status: "promoted",
      why: "all users have the new version",
    });
    expect(types(it).slice(-3)).toEqual(["rollout.promoted", "rollout.started", "rollout.step"]);
  });

  it("a start without a newer version is refused, since the hold-back is none", async () => {
    const it = await heldBack();
    await expect(it.start()).rejects.toThrow(Refusal);
    await expect(it.start()).rejects.toThrow("a has no version that is newer than the one in its watch");
    expect(it.state().status).toBe("running");
  });

  it("of another version for all users is kept", async () => {
    const it = await heldBack();
    it.deployForeign();
    await runFor(it, 35_000);
    expect([it.state().status, it.newest()?.versions[0]?.version_id]).toEqual(["left", "other"]);
  });

  it("of another split pauses it, and control only alerts", async () => {
    const it = await heldBack();
    it.deployForeign("gate-a", null, { "gate-a-stable": 50, "gate-a-canary": 50 });
    it.scenario.verdict = "fail";
    await runFor(it, 10_000);
    expect([it.share(), it.state().status]).toEqual([50, "paused"]);
    expect(types(it).slice(-2)).toEqual(["rollout.paused", "rollout.alert"]);
  });
});
