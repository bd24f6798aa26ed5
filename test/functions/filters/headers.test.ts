/** The filter `headers`: edits of request and response headers. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/headers.ts";
import { Consumer, setFact } from "../../../functions/gateway/core/facts.ts";
import { fakeDeps, gateHarness } from "../gate-harness.ts";

const gate = (config: object, setting = {}) =>
  gateHarness(
    {
      who: () => (_, context) => void setFact(context, Consumer, { id: "alice", labels: {} }),
      headers: (deps) => make(spec().schema.parse(config), deps),
    },
    setting,
  );

it("sets and removes headers of the request", async () => {
  const { send } = gate({ request: { set: { "x-customer": "{consumer.id}", "x-fixed": "1" }, remove: ["cookie"] } });
  const { upstream } = await send("GET /", {
    headers: { cookie: "a=b", "x-customer": "mallory", accept: "text/plain" },
  });
  expect(upstream[0]?.headers).toMatchObject({ "x-customer": "alice", "x-fixed": "1", accept: "text/plain" });
  expect(upstream[0]?.headers.cookie).toBeUndefined();
});

it("removes a header whose reference has no value, so that a client cannot set it", async () => {
  const { send } = gate({ request: { set: { "x-plan": "{consumer.labels.plan}" } } });
  const { upstream } = await send("GET /", { headers: { "x-plan": "gold" } });
  expect(upstream[0]?.headers["x-plan"]).toBeUndefined();
});

it("sets and removes headers of the response", async () => {
  const { send } = gate(
    { response: { set: { "x-frame-options": "DENY" }, remove: ["server"] } },
    { replies: () => new Response("ok", { headers: { server: "old", "x-frame-options": "ALLOW" } }) },
  );
  const { headers } = await send("GET /");
  expect(headers).toMatchObject({ "x-frame-options": "DENY" });
  expect(headers.server).toBeUndefined();
});

it.each([
  ["framing", { request: { set: { "content-length": "1" } } }],
  ["internal names", { request: { set: { "x-postern-caller": "1" } } }],
  ["the host", { request: { remove: ["host"] } }],
  ["upper case", { request: { set: { "X-A": "1" } } }],
  ["a line's end", { request: { set: { "x-a": "1\r\nx-b: 2" } } }],
  ["a reference that is none", { request: { set: { "x-a": "{consumer}" } } }],
])("the schema refuses %s", (_, value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});

it("sets a secret that the manifest names", async () => {
  const config = { request: { set: { authorization: { secret: "IT_TOKEN" } } } };
  const { upstream } = await gate(config, { fakeDeps: fakeDeps({ env: { IT_TOKEN: "Bearer 7" } }) }).send("GET /");
  expect(upstream[0]?.headers.authorization).toBe("Bearer 7");
  expect(() => gate(config)).toThrow("the secret IT_TOKEN is not set");
});

it.each([
  [{ request: { set: { a: { secret: "s3cr3t" } } } }],
  [{ request: { set: { a: { secret: "VERSION" } } } }],
  [{ response: { set: { a: { secret: "IT_TOKEN" } } } }],
])("the schema refuses %j", (config) => {
  expect(spec().schema.safeParse(config).success).toBe(false);
});

it("adds a value to existing ones of request and response headers", async () => {
  const { send } = gate(
    {
      request: { add: { "x-tag": "b", "x-new": "1", "x-plan": "{consumer.labels.plan}" } },
      response: { add: { "x-back": "b" } },
    },
    { replies: () => new Response("ok", { headers: { "x-back": "a" } }) },
  );
  const { upstream, headers } = await send("GET /", { headers: { "x-tag": "a", "x-plan": "gold" } });
  expect(upstream[0]?.headers).toMatchObject({ "x-tag": "a, b", "x-new": "1", "x-plan": "gold" });
  expect(headers["x-back"]).toBe("a, b");
});
