/** Validation of overlay changes against a tier's facts. */
import { expect, it } from "vitest";
import type { TierFacts } from "../../functions/control/model/plan.ts";
import { missingTarget, overlayBody } from "../../functions/control/overlay/changes.ts";

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
  expect(missingTarget({ kind: "enforce", filter }, facts)).toBe(why);
});

it.each([
  [{ kind: "cutover", route: "a", percent: "100%" }, true],
  [{ kind: "cutover", route: "a", percent: "101%" }, false],
  [{ kind: "cutover", route: "a", percent: "999%" }, false],
  [{ kind: "cutover", route: "a", percent: "1e2%" }, false],
  [{ kind: "close", route: null, retryAfter: "24h" }, true],
  [{ kind: "close", route: null, retryAfter: "999999h" }, false],
  [{ kind: "close", route: null, retryAfter: "1e308s" }, false],
  [{ kind: "close", route: null, retryAfter: "-1s" }, false],
  [{ kind: "limit", filter: "a", limit: "999999999/31d" }, true],
  [{ kind: "limit", filter: "a", limit: "1e308/s" }, false],
  [{ kind: "limit", filter: "a", limit: "1/0s" }, false],
  [{ kind: "weights", route: "a", weights: { b: 1e308 } }, false],
  [{ kind: "weights", route: "a", weights: { b: -1 } }, false],
])("numbers that overflow what they count are refused: %j", (change, right) => {
  expect(overlayBody.safeParse({ ...change, for: "10m", reason: "a test" }).success).toBe(right);
});
