/**
 * Mixed segments are split like regular expressions with greedy groups, which is how Spring, Starlette and Gorilla
 * parse `{a}.{b}`.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePath } from "../../../functions/gateway/routing/match.ts";
import { segmentSplitter } from "../../../functions/gateway/routing/mixed-segment.ts";
import { runs } from "../runs.ts";

const compiled = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

const cut = (template: string, text: string): readonly string[] | undefined => {
  const [segment] = parsePath(`/${template}`);
  if (segment?.kind !== "mixed") throw new Error(`${template} mixes nothing`);
  return segmentSplitter(segment.template, compiled)(text);
};

describe("a mixed segment is split in one way", () => {
  for (const [template, text, pieces] of [
    ["{id}:cancel", "42:cancel", ["42"]],
    ["{id}:cancel", "a:b:cancel", ["a:b"]],
    ["{id}:cancel", ":cancel", undefined],
    ["{id}:cancel", "42", undefined],
    ["{id}:cancel", "42:cancelled", undefined],
    ["{id:[0-9]+}:cancel", "x:cancel", undefined],
    ["@{user}", "@ann", ["ann"]],
    ["@{user}", "@", undefined],
    ["v{major}.{minor}", "v1.2", ["1", "2"]],
    ["v{major}.{minor}", "v1.2.3", ["1.2", "3"]],
    ["v{major:[0-9]+}.{minor}", "v1.2.3", ["1", "2.3"]],
    ["{name}.{format}", "report.json", ["report", "json"]],
    ["{name}.{format}", "archive.tar.gz", ["archive.tar", "gz"]],
    ["{name}.{format}", ".json", undefined],
    ["{name}.{format}", "report.", undefined],
    ["{name}.{format}", "a..", ["a", "."]],
    ["{name}.{format:[a-z]+}", "archive.tar.gz", ["archive.tar", "gz"]],
    ["{id:[0-9]+}-{slug}", "7-a-fine-day", ["7", "a-fine-day"]],
    ["{slug}-{id:[0-9]+}", "a-fine-day-7", ["a-fine-day", "7"]],
    ["{from}...{to}", "v1.0...v1.1", ["v1.0", "v1.1"]],
    ["{lat},{lon}", "52.5,13.4", ["52.5", "13.4"]],
    ["{a:[0-9]+}-{b:[0-9]+}-{c}", "1-2-3-4", ["1", "2", "3-4"]],
    ["users({id})", "users(7)", ["7"]],
    ["{a}2{b}", "x%2By", undefined],
    ["{a}2{b}", "x2%2By", ["x", "%2By"]],
    ["{a}B", "x%2B", undefined],
    ["{a}%2B{b}", "x%2By", ["x", "y"]],
  ] as const)
    it(`${template} of ${text}`, () => {
      expect(cut(template, text)).toEqual(pieces);
    });
});

it("splits like a regular expression with greedy groups", () => {
  const texts = fc.array(fc.constantFrom(".", "-", "a", "-.", "a."), { minLength: 1, maxLength: 3 });
  const outer = fc.constantFrom("", ".", "a");
  const segment = fc
    .array(fc.constantFrom("a", ".", "-", "b"), { minLength: 4, maxLength: 14 })
    .map((it) => it.join(""));
  let held = 0;
  fc.assert(
    fc.property(outer, texts, outer, segment, (head, between, tail, text) => {
      const all = [head, ...between, tail];
      const template = all.map((it, index) => (index === 0 ? it : `{p${index}}${it}`)).join("");
      const source = all.map((it, index) => (index === 0 ? "" : "(.+)") + it.replaceAll(/[.-]/g, "\\$&")).join("");
      const [, ...pieces] = new RegExp(`^${source}$`).exec(text) ?? [];
      if (pieces.length > 0) held++;
      expect(cut(template, text)).toEqual(pieces.length > 0 ? pieces : undefined);
    }),
    { numRuns: runs(4000, 20_000), seed: 20_261_130 },
  );
  expect(held).toBeGreaterThan(60);
});

it("looks at each character a bounded number of times", () => {
  const template = "{a}a{b}a{c}a{d}a{e}z";
  expect(cut(template, `${"a".repeat(1_000_000)}z`)).toHaveLength(5);
  // A backtracking regular expression would try some 10^23 ways here.
  expect(cut("{a}a{b}a{c}a{d}a{e:[b-z]+}z", `${"a".repeat(1_000_000)}z`)).toBeUndefined();
  expect(cut("{a:[0-9]+}a{b:[0-9]+}a{c}", "%a".repeat(500_000))).toBeUndefined();
});
