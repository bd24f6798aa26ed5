/** The filter `body-limit`: sizes at the bound, and invalid lengths. */
import { expect, it } from "vitest";
import { make } from "../../../functions/filters/body-limit.ts";
import { gateHarness } from "../gate-harness.ts";

const gate = gateHarness({ "body-limit": () => make({ max: "10B" }) }, { limits: { body: "5B" } });

it("accepts a body of exactly its limit, which replaces the tier's", async () => {
  const { status, upstream } = await gate.send("POST /", { body: "0123456789", headers: { "content-length": "10" } });
  expect({ status, body: upstream[0]?.body }).toEqual({ status: 200, body: "0123456789" });
});

it("answers 413 to one byte more before the body is read", async () => {
  const { status, code, text, upstream, line } = await gate.send("POST /", {
    body: "0123456789a",
    headers: { "content-length": "11" },
  });
  expect({ status, code, detail: JSON.parse(text).detail, by: line?.by }).toEqual({
    status: 413,
    code: "body-too-large",
    detail: "At most 10 bytes are allowed",
    by: "body-limit",
  });
  expect(upstream).toHaveLength(0);
});

it.each(["1e99", "99999999999999999999"])("a length of %s is refused", async (length) => {
  const { status } = await gate.send("POST /", { body: "0", headers: { "content-length": length } });
  expect(status).toBe(413);
});
