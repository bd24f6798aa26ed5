/** Numbers as tables show them: what no calendar has ends no table. */
import { expect, it } from "vitest";
import { formatTime } from "../../infra/terminal/arguments.ts";

it.each([
  [0, "1970-01-01 00:00:00"],
  [Date.UTC(2026, 10, 26, 17, 5), "2026-11-26 17:05:00"],
  [8.64e15, "+275760-09-13 00:00:00"],
  [8.64e15 + 1, "no date (8640000000000001)"],
  [1e308, "no date (1e+308)"],
  [-1e308, "no date (-1e+308)"],
  [Number.NaN, "no date (NaN)"],
])("%d is shown as %s", (at, shown) => {
  expect(formatTime(at)).toBe(shown);
});
