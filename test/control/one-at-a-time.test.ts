/** Tasks that run one at a time. */
import { expect, it } from "vitest";
import { oneAtATime } from "../../functions/control/model/one-at-a-time.ts";

it("runs a task after the previous one has ended, also if that one threw", async () => {
  const runExclusive = oneAtATime();
  const started: string[] = [];
  let end = () => {};
  const slow = runExclusive(async () => {
    started.push("slow");
    await new Promise<void>((done) => {
      end = done;
    });
    throw new Error("no");
  });
  const fast = runExclusive(async () => started.push("fast"));
  await new Promise((wake) => setTimeout(wake, 5));
  expect(started).toEqual(["slow"]);
  end();
  await expect(slow).rejects.toThrow("no");
  expect(await fast).toBe(2);
});
