/** The filter `secure-headers`: headers of responses, refusals included. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/secure-headers.ts";
import { refuse } from "../../../functions/gateway/core/problems.ts";
import { fakeDeps, filterInstance, type GateOptions, gateHarness } from "../gate-harness.ts";

const gate = (config: object = {}, setting: GateOptions = {}) =>
  gateHarness(
    { "secure-headers": () => make(spec().schema.parse(config), fakeDeps(), filterInstance) },
    { filters: { "secure-headers": { kind: "layer" } }, ...setting },
  );

it("sets the configured values in place of the service's", async () => {
  const { send } = gate(
    { "x-frame-options": "DENY", "cross-origin-resource-policy": false },
    {
      replies: () => new Response("ok", { headers: { "x-frame-options": "ALLOWALL", "x-own": "1" } }),
    },
  );
  const { headers, text } = await send("GET /");
  expect(text).toBe("ok");
  expect(headers).toMatchObject({
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=15552000; includeSubDomains",
    "referrer-policy": "no-referrer",
    "x-own": "1",
  });
  expect(headers).not.toHaveProperty("cross-origin-resource-policy");
});

it("edits responses with immutable headers", async () => {
  const { send } = gate({}, { replies: () => Response.redirect("https://elsewhere.example/", 302) });
  const received = await send("GET /", { redirect: "manual" });
  expect([received.status, received.headers["x-content-type-options"]]).toEqual([302, "nosniff"]);
});

it("sets every configured header and no other, and removes X-Powered-By", async () => {
  const names = Object.keys(spec().schema.shape);
  const replies = () => new Response("ok", { headers: { "x-powered-by": "x" } });
  const all = Object.fromEntries(names.map((name) => [name, name.endsWith("-policy") ? undefined : "a"]));
  const policies = {
    "content-security-policy": { "default-src": ["'self'"] },
    "permissions-policy": { camera: false },
  };
  const cross = Object.fromEntries(names.filter((it) => /^(?:cross|referrer)/.test(it)).map((it) => [it, "a"]));
  const plain = Object.keys((await gateHarness({}).send("GET /")).headers);
  const { headers } = await gate({ ...all, ...cross, ...policies }, { replies }).send("GET /");
  expect(Object.keys(headers).toSorted()).toEqual([...plain, ...names].toSorted());
});

it("sets nothing when all are false", async () => {
  const none = Object.fromEntries(
    Object.keys(spec().schema.shape)
      .filter((name) => !["content-security-policy", "permissions-policy"].includes(name))
      .map((name) => [name, false]),
  );
  expect((await gate(none).send("GET /")).headers).toEqual((await gateHarness({}).send("GET /")).headers);
});

it("formats policies as browsers parse them", async () => {
  const { headers } = await gate({
    "content-security-policy": { "default-src": ["'self'", "https://cdn.example"], "upgrade-insecure-requests": [] },
    "permissions-policy": { camera: false, "picture-in-picture": true, geolocation: ["self", "https://map.example"] },
  }).send("GET /");
  expect(headers["content-security-policy"]).toBe("default-src 'self' https://cdn.example; upgrade-insecure-requests");
  expect(headers["permissions-policy"]).toBe(
    'camera=(), picture-in-picture=*, geolocation=(self "https://map.example")',
  );
});

it("applies to refusals behind it", async () => {
  const { send } = gateHarness(
    {
      "secure-headers": () => make(spec().schema.parse({}), fakeDeps(), filterInstance),
      inner: () => (_, context) => refuse(context, { no: { status: 403, title: "No" } }, "no"),
    },
    { filters: { "secure-headers": { kind: "layer" } } },
  );
  expect(await send("GET /")).toMatchObject({
    status: 403,
    code: "no",
    headers: { "x-content-type-options": "nosniff" },
  });
});

it("a fault behind it keeps its code and its name in the log", async () => {
  const { send } = gate({}, { replies: () => Promise.reject(new Error("down")) });
  expect(await send("GET /")).toMatchObject({
    status: 502,
    code: "upstream-unreachable",
    line: { verdict: "failed", by: "service" },
  });
});

it.each([
  { "x-frame-options": "a\r\nb: c" },
  { "x-frame-options": true },
  { "x-powered-by": false },
  { "content-security-policy": { "default-src": ["'self'; script-src *"] } },
  { "content-security-policy": { "default-src *; x": [] } },
  { "permissions-policy": { camera: ['a" "b'] } },
])("refuses %j in a manifest", (value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
