/** The filter `cors`: preflights, responses and local replies, by origin. */
import { describe, expect, it } from "vitest";
import { make, spec } from "../../../functions/filters/cors.ts";
import { refuse } from "../../../functions/gateway/core/problems.ts";
import { type GateOptions, gateHarness } from "../gate-harness.ts";

const shop = "https://shop.example";
const codes = { no: { status: 401, title: "No" } };
const gate = (config = {}) =>
  gateHarness(
    {
      cors: () => make(spec().schema.parse({ origins: [shop], ...config })),
      guard: () => (request, context) => (request.headers.has("x-key") ? undefined : refuse(context, codes, "no")),
    },
    { routes: { it: { match: "GET,PUT /{rest*}", filters: ["cors", "guard"] } } },
  );
const preflight = (origin: string, method = "PUT") => ({
  headers: { origin, "access-control-request-method": method },
});

describe("a preflight", () => {
  it("of an allowed origin is answered before authentication", async () => {
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

  it("of another origin is refused like any request without credentials", async () => {
    const { status, headers } = await gate().send("OPTIONS /x", preflight("https://evil.example"));
    expect(status).toBe(401);
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("for a method that the path does not have gets 405", async () => {
    const { status, headers } = await gate().send("OPTIONS /x", preflight(shop, "DELETE"));
    expect([status, headers.allow]).toEqual([204, "GET, HEAD, OPTIONS, PUT"]);
    expect(headers["access-control-allow-methods"]).toBeUndefined();
  });

  it("never reaches the service, even if all filters pass", async () => {
    const { status, upstream } = await gate().send("OPTIONS /x", {
      headers: { origin: "https://evil.example", "access-control-request-method": "PUT", "x-key": "1" },
    });
    expect([status, upstream.length]).toEqual([204, 0]);
  });
});

describe("a request", () => {
  it("of an allowed origin gets CORS headers, also when it is refused", async () => {
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

  it("of another origin gets no CORS headers, even if the service sets them", async () => {
    const grant = { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" };
    const { send } = gateHarness(
      { cors: () => make(spec().schema.parse({ origins: [shop] })) },
      { replies: () => new Response("ok", { headers: grant }) },
    );
    const { headers } = await send("GET /x", { headers: { origin: "https://evil.example" } });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await send("GET /x", { headers: { origin: shop } })).headers["access-control-allow-origin"]).toBe(shop);
  });

  it("allows credentials only if the manifest does", async () => {
    const headers = { origin: shop, "x-key": "1" };
    const plain = await gate().send("GET /x", { headers });
    expect(plain.headers["access-control-allow-credentials"]).toBeUndefined();
    const trusting = await gate({ credentials: true }).send("GET /x", { headers });
    expect(trusting.headers["access-control-allow-credentials"]).toBe("true");
  });

  it("of any origin gets CORS headers with `*`", async () => {
    const { headers } = await gate({ origins: ["*"] }).send("GET /x", {
      headers: { origin: "https://any.example", "x-key": "1" },
    });
    expect(headers["access-control-allow-origin"]).toBe("*");
    expect(headers.vary).toBeUndefined();
  });
});

describe("a local reply", () => {
  const away = { headers: { origin: shop } };
  const busy = { limits: { concurrency: 0 } };
  const allowed = async (config: object, setting: GateOptions, line = "GET /x") => {
    const { send } = gateHarness(
      {
        early: () => () => undefined,
        cors: () => make(spec().schema.parse({ origins: [shop], ...config })),
      },
      { routes: { it: { match: "GET,PUT /x", filters: ["early", "cors"] } }, ...setting },
    );
    const { code, headers } = await send(line, away);
    return [code, headers["access-control-allow-origin"], headers["access-control-expose-headers"]];
  };

  it("gets CORS headers although no filter has run", async () => {
    expect(await allowed({}, busy)).toEqual(["gate-busy", shop, "x-request-id, retry-after"]);
    expect(await allowed({}, {}, "GET /y")).toEqual(["route-unknown", shop, "x-request-id"]);
  });

  it("exposes the headers of `expose`, and none if that is empty", async () => {
    expect(await allowed({ expose: "*" }, busy)).toEqual(["gate-busy", shop, "*"]);
    expect(await allowed({ expose: [] }, busy)).toEqual(["gate-busy", shop, undefined]);
  });

  it.each([{ mode: "shadow" }, { mode: "off" }, { percent: "50%" }] as const)(
    "gets no CORS headers of a rule that is not enforced for everyone: %j",
    async (cors) => {
      expect(await allowed({}, { ...busy, filters: { cors } })).toEqual(["gate-busy", undefined, undefined]);
    },
  );

  it("gets CORS headers only for requests that match `when`", async () => {
    const when = (origin: string) => ({
      filters: { cors: { when: [["header", "origin", "exact", origin]] as const } },
    });
    expect((await allowed({}, { ...busy, ...when(shop) }))[1]).toBe(shop);
    expect((await allowed({}, { ...busy, ...when("https://other.example") }))[1]).toBeUndefined();
    const preflights = async (origin: string) => {
      const { send } = gateHarness(
        { cors: () => make(spec().schema.parse({ origins: [shop] })) },
        { routes: { it: { match: "GET /x", filters: ["cors"] } }, ...when(origin) },
      );
      return (await send("OPTIONS /y", preflight(shop))).status;
    };
    expect([await preflights(shop), await preflights("https://other.example")]).toEqual([204, 404]);
  });

  it("follows the last of several rules, as other responses do", async () => {
    const origins = (all: readonly string[]) => () => make(spec().schema.parse({ origins: all }));
    const { send } = gateHarness(
      { first: origins(["*"]), second: origins(["https://other.example"]) },
      { routes: { it: { match: "GET /x", filters: ["first", "second"] } } },
    );
    for (const line of ["GET /x", "GET /y"])
      expect((await send(line, away)).headers["access-control-allow-origin"]).toBeUndefined();
  });
});

it.each(["500ms", "1500ms", "1s", "10m"])("max-age %s is a whole number of seconds", async (age) => {
  const { headers } = await gate({ "max-age": age }).send("OPTIONS /x", preflight(shop));
  expect(headers["access-control-max-age"]).toMatch(/^\d+$/);
});

it.each([
  ["credentials for everybody", { origins: ["*"], credentials: true }],
  ["an origin with a path", { origins: ["https://shop.example/"] }],
  ["no origin", { origins: [] }],
])("the schema refuses %s", (_, value) => {
  expect(spec().schema.safeParse(value).success).toBe(false);
});

describe("the schema", () => {
  const preflight = (origin: string) => ({
    headers: {
      origin,
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-header-1, x-header-2",
    },
  });
  const allowed = async (config: object, origin: string) => {
    const { headers } = await gate(config).send("OPTIONS /x", preflight(origin));
    return ["origin", "credentials", "methods", "headers"].map((it) => headers[`access-control-allow-${it}`]);
  };

  it.each<[string, string, boolean]>([
    ["https://*.bar.example", "https://www.bar.example", true],
    ["https://*.bar.example", "https://a.b.bar.example", true],
    ["https://*.bar.example", "https://bar.example", false],
    ["https://*.bar.example", "https://foobar.example", false],
    ["https://*.bar.example", "http://www.bar.example", false],
    ["https://*.bar.example", "https://www.bar.example:8443", false],
    ["https://*.bar.example", "https://www-bar.example", false],
    ["https://*.bar.example:8443", "https://www.bar.example:8443", true],
    ["https://*", "https://anybody.example:8443", true],
    ["https://*", "http://anybody.example", false],
  ])("%s is %s's: %s", async (written, origin, yes) => {
    expect((await allowed({ origins: [written] }, origin))[0]).toBe(yes ? origin : undefined);
  });

  it("requires `everybody` for credentials with any origin, and then never sends a star", async () => {
    for (const origins of [["*"], ["https://*"]])
      expect(spec().schema.safeParse({ origins, credentials: true }).success).toBe(false);
    const everybody = { origins: ["*"], credentials: "everybody" };
    expect((await allowed(everybody, shop)).slice(0, 2)).toEqual([shop, "true"]);
  });

  it("allows the named methods and any requested headers", async () => {
    expect((await allowed({ methods: ["GET", "OPTIONS"], headers: "*" }, shop)).slice(2)).toEqual([
      "GET, OPTIONS",
      "x-header-1, x-header-2",
    ]);
  });
});
