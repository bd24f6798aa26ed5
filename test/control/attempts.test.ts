/** Attempts at one version: what may be tried again, how they are counted, and the error budget that they share. */
import { describe, expect, it } from "vitest";
import { scopeLines } from "../../functions/control/model/approval.ts";
import { attemptOf, budgetOf } from "../../functions/control/model/attempt.ts";
import { criteriaOf } from "../../functions/control/model/criteria.ts";
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { bound } from "../../functions/control/model/stored-proposal.ts";
import { rolloutHarness, runFor } from "./rollout-harness.ts";

const release = { tolerate: { errors: "+0.5pp", p99: "+20%", refusals: "+1pp" } };

it("all attempts of a version together spend no more than one error budget", () => {
  const alphas = Array.from(
    { length: 10_000 },
    (_, index) => criteriaOf({ ...release, attempt: { budget: budgetOf(index + 1) } }).alpha,
  );
  expect(alphas.reduce((sum, alpha) => sum + alpha, 0)).toBeLessThanOrEqual(0.001);
  expect(alphas.slice(0, 3).map((alpha) => Number((alpha / 0.001).toFixed(3)))).toEqual([0.608, 0.152, 0.068]);
  // A rollout of an earlier release keeps the budget that it was started with.
  expect(criteriaOf(release).alpha).toBe(0.001);
});

describe("a version that came back", () => {
  const failed = async (workers?: readonly string[]) => {
    const it = rolloutHarness(workers);
    it.scenario.verdict = "fail";
    await it.start();
    await runFor(it, 20_000);
    expect([it.state().status, it.share()]).toEqual(["rolled-back", -1]);
    return it;
  };

  it("is not started by chance, and is by a retry, which says what happened before", async () => {
    const it = await failed(["gate-a", "gate-a--hot"]);
    const { id } = it.state();
    await expect(it.start()).rejects.toThrow(`try the version of rollout ${id} again: npx postern rollout retry a`);
    it.scenario.verdict = "pass";
    const retried = await it.start({ retry: true });
    expect(retried).toMatchObject({
      attempt: {
        number: 2,
        budget: budgetOf(2),
        earlier: [{ id, by: "alice", status: "rolled-back", why: "errors: 2 % against 0; errors: 2 % against 0" }].map(
          ({ why, ...same }) => ({ ...same, why: expect.stringContaining(why.slice(0, 10)) }),
        ),
      },
      why: expect.stringContaining(`started; attempt 2 of this version: rollout ${id} was rolled back: errors`),
    });
    await runFor(it, 60_000);
    expect([it.state().status, it.share("gate-a"), it.share("gate-a--hot")]).toEqual(["promoted", 100, 100]);
    await expect(it.start({ retry: true })).rejects.toThrow("is live, or others were deployed since");
  });

  it("is counted however often it is tried, also by a start of an operator who deployed it at 0 % again", async () => {
    const it = await failed();
    for (let number = 2; number <= 5; number++) {
      if (number === 3) it.upload();
      expect((await it.start({ retry: true })).attempt?.number).toBe(number);
      await runFor(it, 20_000);
      expect(it.state().status).toBe("rolled-back");
    }
    expect((await it.history()).map(({ attempt }) => attempt?.number)).toEqual([5, 4, 3, 2, 1]);
    // What is stored with the newest is bounded.
    for (let number = 6; number <= 9; number++) {
      await it.start({ retry: true });
      await runFor(it, 20_000);
    }
    expect(it.state().attempt?.earlier).toHaveLength(5);
    // Older rollouts are forgotten, their number is not.
    it.restore("past", () => []);
    expect((await it.start({ retry: true })).attempt?.number).toBe(10);
  });

  it("can be tried again after it was promoted and came back later", async () => {
    const it = rolloutHarness();
    await it.start();
    await runFor(it, 60_000);
    await it.command("abort");
    await runFor(it, 5000);
    expect(it.share()).toBe(-1);
    expect(await it.start({ retry: true })).toMatchObject({ attempt: { number: 2 } });
  });

  it("is shown to the second person as what it is", async () => {
    const it = await failed();
    const { id } = it.state();
    const request = { tier: "a", facts: { workers: ["gate-a"] }, retry: true } as never;
    const versions = await it.candidates(request);
    expect(versions).toMatchObject([{ canary: "gate-a-canary", tag: "digest of gate-a-canary" }]);
    const scope = bound.parse({ versions, commit: null });
    expect(scopeLines(scope)).toEqual([
      expect.stringMatching(
        new RegExp(`^gate-a: .*\\(attempt 2 of this version: rollout ${id} was rolled back: errors: 2 % against 0\\)$`),
      ),
    ]);
  });

  it("is not tried where other versions run by now", async () => {
    const it = await failed();
    it.deployVersions("gate-a", [{ version_id: "newer", percentage: 100 }]);
    await expect(it.start({ retry: true })).rejects.toThrow("others were deployed since");
    // Not in a part of its Workers either.
    const two = await failed(["gate-a", "gate-a--hot"]);
    two.deployVersions("gate-a--hot", [{ version_id: "newer", percentage: 100 }]);
    await expect(two.start({ retry: true })).rejects.toThrow("others were deployed since");
  });

  it("of an earlier release counts, although that release counted none", async () => {
    const it = await failed();
    it.restore("current", ({ attempt: _, ...older }: Rollout) => older);
    expect((await it.start({ retry: true })).attempt?.number).toBe(2);
  });
});

it("another version has a budget of its own, and so has a part of it that is new", () => {
  const before = (canary: string) =>
    ({
      id: "r1",
      status: "rolled-back",
      subjects: [
        { worker: "a", stable: "a0", canary },
        { worker: "b", stable: "b0", canary: "b1" },
      ],
      why: "x".repeat(1000),
    }) as unknown as Rollout;
  const subject = (worker: string, canary: string) => ({ worker, stable: `${worker}0`, canary });
  const numberOf = (...subjects: readonly ReturnType<typeof subject>[]) =>
    attemptOf(subjects, [before("a1"), before("a1")]).number;
  expect(numberOf(subject("a", "a1"), subject("b", "b1"))).toBe(3);
  expect(numberOf(subject("b", "b1"))).toBe(3);
  expect(numberOf(subject("a", "a2"), subject("b", "b1"))).toBe(1);
  expect(attemptOf([subject("b", "b1")], [before("a1")]).earlier[0]?.why).toHaveLength(300);
});
