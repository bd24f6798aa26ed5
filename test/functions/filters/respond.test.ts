/** The filter `respond`: fixed responses. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/respond.ts";
import { gateHarness } from "../gate-harness.ts";

const gate = (config: object, setting = {}) =>
  gateHarness({ respond: () => make(spec().schema.parse(config)) }, setting);

it("responds without calling the service", async () => {
  const received = await gate({ json: { ok: true }, headers: { "cache-control": "max-age=60" } }).send("GET /");
  expect(received).toMatchObject({
    status: 200,
    text: '{"ok":true}\n',
    upstream: [],
    line: { verdict: "answered", by: "respond" },
  });
  expect(received.headers).toMatchObject({ "content-type": "application/json", "cache-control": "max-age=60" });
});

it("responds to matching requests, and lets others pass", async () => {
  const { send } = gate(
    { status: 503, text: "back at noon" },
    { filters: { respond: { when: [["header", "x-beta", "present", ""]] } } },
  );
  expect((await send("GET /")).status).toBe(200);
  const received = await send("GET /", { headers: { "x-beta": "1" } });
  // A fixed response of the manifest is not a refusal, whatever its status.
  expect(received).toMatchObject({ status: 503, text: "back at noon", line: { verdict: "answered" } });
});

it.each([
  { text: "a", json: 1 },
  { status: 204, text: "a" },
  { status: 99 },
  { headers: { "x-a": "b\r\nc: d" } },
  { headers: { host: "x" } },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
