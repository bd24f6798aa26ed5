/** The evidence of a period that has ended is read once, when all its reports have arrived. */
import { expect, it } from "vitest";
import type { Rollout, Stretch } from "../../functions/control/model/rollout.ts";
import type { Stage } from "../../functions/control/verdict/evidence.ts";
import { rememberEnded } from "../../functions/control/wiring/ended-evidence.ts";

const minute = 60_000;
const rollout = (id: string) => ({ id }) as Rollout;
const harness = () => {
  const reads: string[] = [];
  const state = { now: 100 * minute, fails: false };
  const read = rememberEnded(
    async ({ id }, { share, since }) => {
      reads.push(`${id} ${since / minute}`);
      if (state.fails) throw new Error("gone");
      return { share: share / 100 } as Stage;
    },
    () => state.now,
  );
  const of = (id: string, since: number, until: number | null): Promise<Stage> => {
    const stretch: Stretch = { share: 10, since: since * minute, until: until === null ? null : until * minute };
    return read(rollout(id), stretch);
  };
  return { reads, state, of };
};

it("is read again while the period continues, or its reports may be late", async () => {
  const { reads, state, of } = harness();
  for (let count = 0; count < 2; count++) {
    await of("a", 1, null);
    await of("a", 90, 96);
  }
  expect(reads).toEqual(["a 1", "a 90", "a 1", "a 90"]);
  state.now += minute;
  expect(await of("a", 90, 96)).toEqual(await of("a", 90, 96));
  expect(reads).toHaveLength(5);
});

it("is remembered for each rollout, not where it could not be read, and not without end", async () => {
  const { reads, state, of } = harness();
  state.fails = true;
  await expect(of("a", 1, 2)).rejects.toThrow("gone");
  state.fails = false;
  for (const id of ["a", "b", "a", "b"]) await of(id, 1, 2);
  expect(reads).toEqual(["a 1", "a 1", "b 1"]);
  for (let since = 10; since < 40; since++) await of("a", since, since + 1);
  reads.length = 0;
  await of("a", 39, 40);
  await of("a", 1, 2);
  expect(reads).toEqual(["a 1"]);
});
