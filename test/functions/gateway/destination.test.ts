/** Destinations of routes: direct responses, redirects and weighted upstreams; deprecation, `when` and limits of a gate. */
import { describe, expect, it, vi } from "vitest";
import { fakeDeps, type GateOptions, gateHarness, type RouteOptions } from "../gate-harness.ts";

const gate = (route: Omit<RouteOptions, "match">, setting: GateOptions = {}) =>
  gateHarness({}, { ...setting, routes: { it: { match: "GET /a/{id}/{rest*}", ...route } } });

describe("respond", () => {
  it("responds with the gate's own headers added", async () => {
    const goes = { respond: { status: 203, headers: { "content-type": "application/json" }, body: '{"ok":true}\n' } };
    const { status, text, headers, upstream } = await gate({ goes }).send("GET /a/1/x");
    expect([status, text, headers["content-type"], upstream.length]).toEqual([
      203,
      '{"ok":true}\n',
      "application/json",
      0,
    ]);
    expect(headers["x-request-id"]).toBeDefined();
  });
});

describe("redirect", () => {
  const to = (target: string, query: "keep" | "drop" = "keep") =>
    gate({ goes: { redirect: { to: target, status: 307, query } } });

  it.each([
    ["/v2/{path.id}", "GET /a/7/x?q=1", "/v2/7?q=1"],
    ["https://other.example/{path.rest}", "GET /a/7/x/y", "https://other.example/x/y"],
    ["https://other.example", "GET /a/7/x", "https://other.example/"],
    ["/q/{query.q}", "GET /a/7/x?q=a%2Fb", "/q/a%2Fb?q=a%2Fb"],
  ])("%s, requested as %s, redirects to %s", async (target, line, location) => {
    const { status, headers } = await to(target).send(line);
    expect([status, headers.location]).toEqual([307, location]);
  });

  it("drops the query if configured", async () => {
    expect((await to("/b", "drop").send("GET /a/7/x?q=1")).headers.location).toBe("/b");
  });

  it("never redirects to another host than the manifest's", async () => {
    // The rest is empty, so that the path would begin with two slashes.
    const { status, code } = await to("/{path.rest}/evil.example").send("GET /a/7/");
    expect([status, code]).toEqual([400, "reference-malformed"]);
  });
});

describe("a weighted list", () => {
  const goes = {
    to: [
      ["service", 90],
      ["other", 10],
    ],
  } as const;
  const hit = async (setting: GateOptions) => {
    const { upstream } = await gate({ goes }, setting).send("GET /a/1/x");
    return upstream[0]?.url.startsWith("https://service.example/other") ? "other" : "service";
  };

  it("keeps a user with one upstream", async () => {
    const first = await hit({ caller: { grayKey: "device-7" } });
    for (let again = 0; again < 5; again++) expect(await hit({ caller: { grayKey: "device-7" } })).toBe(first);
  });

  it("gives each upstream its share of users", async () => {
    let others = 0;
    for (let user = 0; user < 1000; user++)
      if ((await hit({ caller: { grayKey: `device-${user}` } })) === "other") others++;
    expect(others).toBeGreaterThan(70);
    expect(others).toBeLessThan(130);
  });

  it("picks at random for a user without a key", async () => {
    const caller = { grayKey: null, ip: null };
    expect(await hit({ caller, fakeDeps: fakeDeps({ random: () => 0.89 }) })).toBe("service");
    expect(await hit({ caller, fakeDeps: fakeDeps({ random: () => 0.9 }) })).toBe("other");
  });

  it("never calls an upstream with weight 0", async () => {
    const none = {
      to: [
        ["other", 0],
        ["service", 1],
      ],
    } as const;
    for (let user = 0; user < 50; user++) {
      const { upstream } = await gate({ goes: none }, { caller: { grayKey: `${user}` } }).send("GET /a/1/x");
      expect(upstream[0]?.url).toBe("https://service.example/a/1/x");
    }
  });
});

describe("deprecated", () => {
  it("adds headers to every response of the route, refusals too", async () => {
    const deprecated = { since: "2026-01-01", sunset: "2027-06-30", link: "https://docs.example/v2" };
    const { headers } = await gate({ deprecated }).send("GET /a/1/x");
    expect(headers).toMatchObject({
      deprecation: "@1767225600",
      sunset: "Wed, 30 Jun 2027 00:00:00 GMT",
      link: '<https://docs.example/v2>; rel="deprecation"; type="text/html"',
    });
  });

  it("uses the epoch for an unspecified time", async () => {
    expect((await gate({ deprecated: {} }).send("GET /a/1/x")).headers.deprecation).toBe("@0");
  });
});

describe("when of a filter", () => {
  const guard = () => () => new Response("guard", { status: 418 });
  const setting = (kind: "guard" | "layer"): GateOptions => ({
    filters: { guard: { kind, when: [["header", "x-guard", "present", ""]] } },
  });

  it("runs a guard for matching requests", async () => {
    const { send } = gateHarness({ guard }, setting("guard"));
    expect((await send("GET /")).status).toBe(200);
    expect((await send("GET /", { headers: { "x-guard": "1" } })).status).toBe(418);
  });

  it("runs a layer for matching requests", async () => {
    const { send } = gateHarness(
      { guard: () => () => async () => new Response("guard", { status: 418 }) },
      setting("layer"),
    );
    expect((await send("GET /")).status).toBe(200);
    expect((await send("GET /", { headers: { "x-guard": "1" } })).status).toBe(418);
  });
});

describe("limits of a gate", () => {
  it("answers 503 beyond the concurrency limit, until another request ends", async () => {
    const waiting: (() => void)[] = [];
    const replies = () => new Promise<Response>((reply) => waiting.push(() => reply(new Response("ok"))));
    const { send } = gateHarness({}, { limits: { concurrency: 1 }, replies });
    const first = send("GET /");
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    const { status, code, headers } = await send("GET /");
    expect([status, code, headers["retry-after"]]).toEqual([503, "gate-busy", "1"]);
    for (const reply of waiting.splice(0)) reply();
    expect((await first).status).toBe(200);
    const third = send("GET /");
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    for (const reply of waiting) reply();
    expect((await third).status).toBe(200);
  });

  it("matches hosts by name, then by wildcard of any depth", async () => {
    const { send } = gateHarness({}, { hosts: ["api.acme.example", "*.shop.example"] });
    const resultFor = async (host: string) => (await send(`GET https://${host}/`)).code ?? "served";
    expect(await resultFor("API.acme.example.")).toBe("served");
    expect(await resultFor("a.b.shop.example:8443")).toBe("served");
    expect(await resultFor("shop.example")).toBe("host-unknown");
    expect(await resultFor("evil-shop.example")).toBe("host-unknown");
    expect(await resultFor("api.acme.example.evil.example")).toBe("host-unknown");
  });
});

describe("an invalid response of an upstream", () => {
  it("is answered with upstream-invalid, and does not reach the client", async () => {
    const odd = {
      status: 600,
      webSocket: null,
      headers: new Headers({ "x-secret": "1" }),
      body: null,
    } as unknown as Response;
    const { status, code, headers } = await gateHarness({}, { replies: () => odd }).send("GET /");
    expect([status, code, headers["x-secret"]]).toEqual([502, "upstream-invalid", undefined]);
  });
});
