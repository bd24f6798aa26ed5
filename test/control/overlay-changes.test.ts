/** What an overlay may be written for, as control knows the tier. */
import { expect, it } from "vitest";
import { missing } from "../../functions/control/overlay-changes.ts";
import type { TierFacts } from "../../functions/control/plan.ts";

const facts = {
  routes: {},
  filters: {
    guard: { use: "validate", mode: "shadow", enforceable: true },
    pages: { use: "cors", mode: "shadow" },
    live: { use: "ip", mode: "enforce" },
  },
} as unknown as TierFacts;

it.each([
  ["guard", undefined],
  ["pages", 'filter "pages" that an overlay may enforce: `cors` does more than refuse, so a release enforces it'],
  ["live", 'shadowed filter "live"'],
  ["none", 'filter "none"; it has guard, pages, live'],
])("a shadowed filter is enforced where that can only tighten: %s", (filter, why) => {
  expect(missing({ kind: "enforce", filter }, facts)).toBe(why);
});
