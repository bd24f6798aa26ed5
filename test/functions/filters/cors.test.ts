import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/cors.ts";
import { refuse } from "../../../functions/gateway/faults.ts";
import { conversation } from "../conversation.ts";

const shop = "https://shop.example";
const codes = { no: { status: 401, title: "No" } };
const gate = (config = {}) =>
  conversation(
    {
      cors: () => make(spec().schema.parse({ origins: [shop], ...config })),
      door: () => (request, context) => (request.headers.has("x-key") ? undefined : refuse(context, codes, "no")),
    },
    { routes: { it: { match: "GET,PUT /{rest*}", filters: ["cors", "door"] } } },
  );
const preflight = (origin: string, method = "PUT") => ({
  headers: { origin, "access-control-request-method": method },
});

describe("a preflight", () => {
  it("of a named origin is answered before anybody asks for credentials", async () => {
    const { status, headers, upstream, line } = await gate({ "max-age": "10m" }).send("OPTIONS /x", preflight(shop));
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      "access-control-allow-origin": shop,
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": "600",
      vary: "origin",
    });
    expect(upstream).toHaveLength(0);
    expect(line).toMatchObject({ verdict: "answered", by: "cors" });
  });

  it("of another origin gets what everybody without credentials gets", async () => {
    const { status, headers } = await gate().send("OPTIONS /x", preflight("https://evil.example"));
    expect(status).toBe(401);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("about a method that the path does not have is told so", async () => {
    const { status, headers } = await gate().send("OPTIONS /x", preflight(shop, "DELETE"));
    expect([status, headers.allow]).toEqual([204, "GET, HEAD, OPTIONS, PUT"]);
    expect(headers["access-control-allow-methods"]).toBeUndefined();
  });

  it("never reaches the service, whatever the filters let pass", async () => {
    const { status, upstream } = await gate().send("OPTIONS /x", {
      headers: { origin: "https://evil.example", "access-control-request-method": "PUT", "x-key": "1" },
    });
    expect([status, upstream.length]).toEqual([204, 0]);
  });
});

describe("a request", () => {
  it("of a named origin may be read, and so may its refusal", async () => {
    const { send } = gate();
    const refusal = await send("GET /x", { headers: { origin: shop } });
    expect([refusal.status, refusal.headers["access-control-allow-origin"]]).toEqual([401, shop]);
    const passed = await send("GET /x", { headers: { origin: shop, "x-key": "1" } });
    expect([passed.status, passed.headers["access-control-allow-origin"]]).toEqual([200, shop]);
    expect(passed.headers["access-control-expose-headers"]).toBe("x-request-id");
  });

  it.each(["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"])(
    "of %s may not",
    async (origin) => {
      const { headers } = await gate().send("GET /x", { headers: { origin, "x-key": "1" } });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
      expect(headers.vary).toBe("origin");
    },
  );

  it("of another origin may not, even where the service would grant it", async () => {
    const grant = { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" };
    const { send } = conversation(
      { cors: () => make(spec().schema.parse({ origins: [shop] })) },
      { replies: () => new Response("ok", { headers: grant }) },
    );
    const { headers } = await send("GET /x", { headers: { origin: "https://evil.example" } });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await send("GET /x", { headers: { origin: shop } })).headers["access-control-allow-origin"]).toBe(shop);
  });

  it("brings cookies only where the manifest says so", async () => {
    const headers = { origin: shop, "x-key": "1" };
    const plain = await gate().send("GET /x", { headers });
    expect(plain.headers["access-control-allow-credentials"]).toBeUndefined();
    const trusting = await gate({ credentials: true }).send("GET /x", { headers });
    expect(trusting.headers["access-control-allow-credentials"]).toBe("true");
  });

  it("of anyone may, where anyone is meant", async () => {
    const { headers } = await gate({ origins: ["*"] }).send("GET /x", {
      headers: { origin: "https://any.example", "x-key": "1" },
    });
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(headers.vary).toBeUndefined();
  });
});

it.each([
  ["credentials for everybody", { origins: ["*"], credentials: true }],
  ["an origin with a path", { origins: ["https://shop.example/"] }],
  ["no origin", { origins: [] }],
])("the schema refuses %s", (_, value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});
