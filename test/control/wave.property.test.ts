/** Property: for any sequence of events and crashes a wave releases core last, respects its concurrency, starts nothing after a failure, and nothing twice. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { isOver } from "../../functions/control/model/rollout.ts";
import { isWaveOver, levels } from "../../functions/control/model/wave.ts";
import { full } from "../full.ts";
import { runWave, type StartedRollout, type TierSpec, waveHarness } from "./wave-harness.ts";

const runs = Number(process.env.POSTERN_RUNS ?? (full ? 500 : 120));

const tiersOf = (counts: readonly number[]): TierSpec[] =>
  levels.flatMap((level, index) =>
    Array.from({ length: counts[index] ?? 0 }, (_, nth) => ({ tier: `${"bsc"[index]}${nth}`, level })),
  );

const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(6000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("die" as const), at: fc.nat(25) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("die-at" as const), tier: fc.nat(9), at: fc.nat(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fault" as const),
      fault: fc.constantFrom("lost before" as const, "lost after" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("unseen" as const), looks: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("bad" as const), tier: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      command: fc.constantFrom("pause" as const, "resume" as const, "abort" as const),
      all: fc.boolean(),
      turns: fc.nat(30),
    }),
  },
);

/** Invariants at the start of each rollout. */
const check = ({ tier, wave, recorded: decided, open }: StartedRollout, concurrent: number): void => {
  const member = decided?.members.find((it) => it.tier === tier);
  expect(decided?.id).toBe(wave);
  // The start was stored before, and no failure was known.
  expect(member?.place).toBe("starting");
  expect(decided?.members.filter(({ place }) => place === "failed")).toEqual([]);
  expect(open.length).toBeLessThanOrEqual(concurrent);
  const before = decided?.members.filter((it) => levels.indexOf(it.level) < levels.indexOf(member?.level ?? "core"));
  expect(before?.every(({ place }) => place === "promoted" || place === "passed-over")).toBe(true);
};

it("holds for random sequences of events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.nat(4), fc.nat(3), fc.nat(3)).filter((counts) => counts.some((count) => count > 0)),
      fc.integer({ min: 1, max: 4 }),
      fc.array(event, { maxLength: 50 }),
      async (counts, concurrent, course) => {
        const tiers = tiersOf(counts);
        const it = waveHarness(tiers, concurrent);
        const nameAt = (nth: number) => it.names[nth % it.names.length] as string;
        await it.start();
        for (const event of course) {
          if (event.kind === "pass") await runWave(it, event.ms);
          else if (event.kind === "die") await it.reconcile(event.at);
          else if (event.kind === "die-at") await it.reconcileTier(nameAt(event.tier), event.at);
          else if (event.kind === "fault") it.scenario.faults.push(event.fault);
          else if (event.kind === "unseen") it.scenario.unseen = event.looks;
          else if (event.kind === "bad") it.scenario.bad.add(nameAt(event.tier));
          else {
            // A person gives a command during a reconciliation.
            const looking = it.reconcile();
            for (let turn = 0; turn < event.turns; turn++) await Promise.resolve();
            await it.command(event.command, event.all).catch(() => {});
            await looking;
          }
        }
        it.scenario.faults = [];
        it.scenario.unseen = 0;
        if (it.wave().status === "paused") await it.command("resume");
        await runWave(it, 400_000);

        for (const one of it.started) check(one, concurrent);
        // One wave, so at most one rollout of each tier.
        expect(new Set(it.started.map(({ tier }) => tier)).size).toBe(it.started.length);
        expect(isWaveOver(it.wave())).toBe(true);
        for (const { tier, place } of it.wave().members) {
          const rollout = it.rollout(tier);
          expect(rollout === undefined || isOver(rollout)).toBe(true);
          if (place === "promoted") expect(it.share(`gate-${tier}`)).toBe(100);
          if (place === "failed" || place === "back") expect(it.share(`gate-${tier}`)).toBe(-1);
          // Tiers that were not started are unchanged.
          if (place === "waiting") expect(it.deployments(`gate-${tier}`)).toHaveLength(1);
        }
        const { status } = it.wave();
        if (status === "failed") expect(it.wave().members.some(({ rollout }) => rollout !== null)).toBe(true);
        if (it.scenario.bad.size === 0 && course.every(({ kind }) => kind !== "ask")) expect(status).toBe("promoted");
      },
    ),
    { numRuns: runs, seed: 6 },
  );
});
