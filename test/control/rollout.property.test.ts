/** Property: for any sequence of events and crashes a rollout never exceeds the decided split, repeats no action, and does not overwrite others' deployments. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { stepsOf } from "../../functions/control/model/release.ts";
import { isOver } from "../../functions/control/model/rollout.ts";
import { full } from "../full.ts";
import { rolloutHarness, runFor } from "./rollout-harness.ts";

const runs = Number(process.env.POSTERN_RUNS ?? (full ? 300 : 100));

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("look" as const), ms: fc.nat(4000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("die" as const), at: fc.nat(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      command: fc.constantFrom("pause" as const, "resume" as const, "promote" as const, "abort" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("fault" as const), fault: fc.constantFrom("lost" as const, 500, 429, 0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("judge" as const),
      verdict: fc.constantFrom("pass" as const, "fail" as const, "not-enough" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("meanwhile" as const),
      command: fc.constantFrom("pause" as const, "promote" as const, "abort" as const),
      ms: fc.nat(6000),
      turns: fc.nat(30),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("foreign" as const) }) },
);

const workers = ["gate-a", "gate-a--hot"];

const plain = { steps: ["0%", "1%", "10%", "50%", "100%"], bake: "5s" } as const;
const releases = [plain, { ...plain, watch: "5s" }, { ...plain, watch: { for: "5s", "hold-back": "0%" } }] as const;

it("holds for random sequences of events", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...releases), fc.array(event, { maxLength: 60 }), async (release, course) => {
      const it = rolloutHarness(workers, stepsOf(release));
      await it.start();
      for (const event of course) {
        if (event.kind === "look") {
          it.advance(event.ms);
          await it.reconcile();
        } else if (event.kind === "die") await it.reconcile(event.at);
        else if (event.kind === "ask") await it.command(event.command).catch(() => {});
        else if (event.kind === "meanwhile") {
          it.advance(event.ms);
          const looking = it.reconcile();
          for (let turn = 0; turn < event.turns; turn++) await Promise.resolve();
          await it.command(event.command).catch(() => {});
          await looking;
        } else if (event.kind === "judge") it.scenario.verdict = event.verdict;
        else if (event.kind === "foreign") it.deployForeign();
        else {
          const { fault } = event;
          it.scenario.faults.push(fault === "lost" ? fault : { status: fault, code: null, message: "no" });
        }
        // An observed foreign deployment stays the newest until a person decides.
        if (it.state().foreign) expect(it.newest()?.versions[0]?.version_id).toBe("other");
      }
      it.scenario.faults = [];
      await runFor(it, 10_000);
      const { status } = it.state();
      if (course.every(({ kind }) => kind !== "foreign"))
        for (const worker of workers) {
          if (status === "rolled-back") expect(it.share(worker)).toBe(-1);
          if (status === "promoted") expect(it.share(worker)).toBe(100);
        }
      for (const { share, decidedShare: decided } of it.splits) expect(share).toBe(decided);
      const keys = it.splits.map(({ worker, message }) => `${worker} ${message}`);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: runs, seed: 6 },
  );
});

it("rolls back from any state once the verdict fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { maxLength: 25 }), async (deaths) => {
      const it = rolloutHarness(workers);
      await it.start();
      for (const at of deaths) {
        it.advance(1000);
        await it.reconcile(at);
      }
      it.scenario.verdict = "fail";
      it.scenario.smoke = false;
      for (const at of deaths) {
        it.advance(1000);
        await it.reconcile(at);
      }
      await runFor(it, 60_000);
      expect(isOver(it.state())).toBe(true);
      if (it.state().status === "rolled-back") for (const worker of workers) expect(it.share(worker)).toBe(-1);
      else expect(it.state().status).toBe("promoted");
    }),
    { numRuns: runs, seed: 6 },
  );
});
