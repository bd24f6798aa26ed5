/** Quantities with units, as a manifest has them. */
import { expect, it } from "vitest";
import { bytes, milliseconds, share } from "../../../functions/gateway/core/quantities.ts";
import { duration, percent, size } from "../../../functions/manifest/quantities.ts";

it.each([
  ["800ms", 800],
  ["2s", 2_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["1d", 86_400_000],
])("%s is %d ms", (text, ms) => {
  expect(milliseconds(text)).toBe(ms);
  expect(duration().parse(text)).toBe(text);
});

it.each([
  ["512B", 512],
  ["16KiB", 16_384],
  ["10MiB", 10_485_760],
  ["1GiB", 1_073_741_824],
])("%s is %d bytes", (text, count) => {
  expect(bytes(text)).toBe(count);
  expect(size().parse(text)).toBe(text);
});

it.each([
  ["10%", 0.1],
  ["0.5%", 0.005],
  ["100%", 1],
  ["0%", 0],
])("%s is %d", (text, part) => {
  expect(share(text)).toBeCloseTo(part, 10);
  expect(percent().parse(text)).toBe(text);
});

it.each([
  ["a number without a unit", duration(), 800],
  ["another unit", duration(), "800us"],
  ["a blank in it", duration(), "800 ms"],
  ["longer than a timer can wait", duration(), "25d"],
  ["a fraction", size(), "1.5MiB"],
  ["a decimal unit", size(), "10MB"],
  ["a share above one", percent(), "101%"],
  ["a negative one", percent(), "-1%"],
])("refuses %s", (_, schema, value) => {
  expect(schema.safeParse(value).success).toBe(false);
});
