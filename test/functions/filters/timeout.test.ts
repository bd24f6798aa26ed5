/** The filter `timeout`: slow and timely responses. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/timeout.ts";
import type { Context } from "../../../functions/gateway/core/types.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

const slow = (setting = {}) => {
  const time = fakeDeps();
  const gate = gateHarness(
    { timeout: (deps) => make({ after: "2s" }, deps) },
    { fakeDeps: time, filters: { timeout: { kind: "layer" } }, replies: () => new Promise(() => {}), ...setting },
  );
  return { time, ...gate };
};

it("answers 504 when the rest takes longer", async () => {
  const { time, send } = slow();
  const answer = send("GET /");
  await time.advance(1_999);
  expect(await Promise.race([answer, Promise.resolve("waiting")])).toBe("waiting");
  await time.advance(1);
  expect(await answer).toMatchObject({ status: 504, code: "timeout", line: { verdict: "failed", by: "timeout" } });
});

it.each(["0s", "00ms", 5, "5"])("the schema refuses %s", (after) => {
  expect(spec().schema.safeParse({ after }).success).toBe(false);
});

it("does not affect a timely response, and cancels its timer", async () => {
  const { time, send } = slow({ replies: () => new Response("quick") });
  expect((await send("GET /")).text).toBe("quick");
  await time.advance(10_000);
});

it("the earlier of two deadlines applies, and aborts the rest", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const time = fakeDeps();
  const spy = () => (_: Request, context: Context) => void signals.push(context.signal);
  const { send } = gateHarness(
    { outer: (deps) => make({ after: "5s" }, deps), inner: (deps) => make({ after: "1s" }, deps), spy },
    {
      fakeDeps: time,
      filters: { outer: { kind: "layer" }, inner: { kind: "layer" } },
      replies: () => new Promise(() => {}),
    },
  );
  const answer = send("GET /");
  await time.advance(1_000);
  expect(await answer).toMatchObject({ status: 504, line: { by: "inner", ms: 1_000 } });
  expect(signals[0]?.aborted).toBe(true);
});
