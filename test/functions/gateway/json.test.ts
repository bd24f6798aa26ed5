/** JSON from elsewhere, which may be malformed. */
import { expect, it } from "vitest";
import { fieldsOf, parsed } from "../../../functions/gateway/core/json.ts";

it.each([
  ['{"a":1}', { a: 1 }, { a: 1 }],
  ["[1]", [1], { 0: 1 }],
  ["null", null, {}],
  ["7", 7, {}],
  ["{", undefined, {}],
  ["", undefined, {}],
])("parses %j, and reads its fields", (text, value, fields) => {
  expect(parsed(text)).toEqual(value);
  expect(fieldsOf(parsed(text))).toEqual(fields);
});
