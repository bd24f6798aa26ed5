/** The filter `csrf`: form submissions by origin and content type. */
import { expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/csrf.ts";
import { fakeDeps, filterInstance, gateHarness } from "../gate-harness.ts";

const config = spec().schema.parse({ origins: ["https://shop.example"] });
const { send } = gateHarness(
  { csrf: () => make(config, fakeDeps(), { ...filterInstance, id: "csrf" }) },
  { filters: { csrf: { kind: "layer" } } },
);

const form = (origin?: string) => ({
  body: "a=1",
  headers: { "content-type": "application/x-www-form-urlencoded", ...(origin !== undefined && { origin }) },
});

it("passes a form of an allowed origin, with its body", async () => {
  const { status, upstream } = await send("POST /", form("https://shop.example"));
  expect([status, upstream[0]?.body]).toEqual([200, "a=1"]);
});

it.each(["https://evil.example", "https://shop.example.evil.example", "null", undefined])(
  "answers 403 to a form of %s",
  async (origin) => {
    expect(await send("POST /", form(origin))).toMatchObject({
      status: 403,
      code: "cross-site-refused",
      upstream: [],
      line: { verdict: "refused", by: "csrf", code: "cross-site-refused" },
    });
  },
);

it("passes requests that no form can send", async () => {
  expect((await send("GET /")).status).toBe(200);
  expect((await send("POST /", { body: "{}", headers: { "content-type": "application/json" } })).status).toBe(200);
});

it.each([
  ["same-origin", 200],
  ["same-site", 403],
  ["none", 403],
  ["cross-site", 403],
  ["same-origin, cross-site", 403],
])("Sec-Fetch-Site %s → %i", async (site, status) => {
  const { headers, body } = form("https://elsewhere.example");
  expect((await send("POST /", { body, headers: { ...headers, "sec-fetch-site": site } })).status).toBe(status);
});

it.each(["", "text/plain", "TEXT/PLAIN;charset=utf-8", "multipart/form-data; boundary=a", " text/plain"])(
  "treats every media type of forms as a form: %j",
  async (type) => {
    const headers = { "content-type": type, origin: "https://evil.example" };
    expect(await send("POST /", { body: "a", headers })).toMatchObject({ code: "cross-site-refused", upstream: [] });
  },
);

it("treats a body without a type as a form", async () => {
  const body = new Uint8Array([1]);
  expect((await send("PUT /", { body, headers: { origin: "https://evil.example" } })).code).toBe("cross-site-refused");
});

it.each(["https://shop.example/", "https://Shop.example", "shop.example", "*", "null"])(
  "refuses the origin %j in a manifest",
  (origin) => {
    expect(spec().schema.safeParse({ origins: [origin] }).success).toBe(false);
  },
);
