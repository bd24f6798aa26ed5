/** Bounded maps and sets. */
import { expect, it } from "vitest";
import { forgetOldest } from "../../../functions/gateway/core/bounded.ts";

it("evicts the oldest entries beyond the bound, also one whose key is undefined", () => {
  const all = new Map<string | undefined, number>([[undefined, 0]]);
  forgetOldest(all.set("a", 1), 2);
  expect([...all.keys()]).toEqual([undefined, "a"]);
  forgetOldest(all.set("b", 2), 2);
  expect([...all.keys()]).toEqual(["a", "b"]);
  const names = new Set(["a", "b", "c"]);
  forgetOldest(names, 2);
  expect([...names]).toEqual(["b", "c"]);
});
