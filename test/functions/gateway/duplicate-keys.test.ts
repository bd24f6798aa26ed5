/** Detection of duplicate keys in JSON. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { hasDuplicateKeys } from "../../../functions/gateway/http/duplicate-keys.ts";

it.each([
  ['{"a":1,"a":2}', true],
  ['{"a":1,"\\u0061":2}', true],
  ['{"a":{"b":1},"c":[{"b":1,"d":2,"b":3}]}', true],
  ['{"a\\\\":1,"a\\\\":2}', true],
  ['{"__proto__":1,"__proto__":2}', true],
  ['{ "a" : 1 , "b" : ["a","a"] , "c" : "a" }', false],
  ['{"a":{"a":{"a":1}},"b":{"a":1}}', false],
  ['[{"a":1},{"a":1}]', false],
  ['{"a":",\\"a\\":","b":"{}"}', false],
  ['"a"', false],
  ["{}", false],
])("%s: %s", (text, expected) => {
  JSON.parse(text);
  expect(hasDuplicateKeys(text)).toBe(expected);
});

it("finds none in any serialized value", () => {
  fc.assert(fc.property(fc.json(), (text) => !hasDuplicateKeys(JSON.stringify(JSON.parse(text)))));
});

it("handles a nesting of a hundred thousand", () => {
  expect(hasDuplicateKeys(`${'{"a":['.repeat(100_000)}${"]}".repeat(100_000)}`)).toBe(false);
});
