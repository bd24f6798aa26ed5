/** The fuzzer itself: it finds what is there, makes it small, and its seed finds it again. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { home } from "../../infra/gen/generated.ts";
import { search } from "../fuzz/search.ts";
import { targets } from "../fuzz/targets.ts";
import { each } from "../fuzz/tried.ts";

const noSeven = each(fc.array(fc.nat(9), { maxLength: 20 }), (all) => {
  if (all.includes(7)) throw new Error("a seven");
});

it("says the smallest input, and the path that leads there again", async () => {
  const { found } = await search({ property: noSeven }, { seed: 1, ms: 60_000 });
  expect(found).toMatchObject({ seed: 1, input: "[[7]]", why: expect.stringContaining("a seven") });
  const again = await search({ property: noSeven }, { seed: 1, ms: 60_000, path: found?.path });
  expect(again.found?.input).toBe("[[7]]");
});

it("ends with its budget where there is nothing to find", async () => {
  const { found, inputs } = await search({ property: each(fc.nat(), () => {}) }, { seed: 1, ms: 100 });
  expect([found, inputs > 0]).toEqual([undefined, true]);
});

it("each target has a name of its own, and some need no mesh", () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
});

it("a run prints its seed and counts, and ends with 0; what it does not know ends with 2", () => {
  const run = (...options: string[]) =>
    spawnSync(process.execPath, [path.join(home, "test/fuzz/fuzz.ts"), ...options], { encoding: "utf8" });
  const { status, stdout } = run("--only", "reports,feed", "--seconds", "2", "--seed", "5");
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^seed 5; 2 targets[\s\S]*inputs, 0 finds; first seed 5\n$/),
  ]);
  expect(run("--only", "nothing").status).toBe(2);
});
