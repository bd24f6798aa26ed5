/** The router: precedence, captures, ranks, conditions and methods. */
import { describe, expect, it } from "vitest";
import { parseMatch, parsePath } from "../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../functions/gateway/routing/matchers.ts";
import { buildRouteTable } from "../../../functions/gateway/routing/route-table.ts";
import { type Router, router } from "../../../functions/gateway/routing/router.ts";

const routes = (...lines: string[]) =>
  router(buildRouteTable(lines.map((line) => ({ route: line, ...parseMatch(line) }))));

const ask = (match: Router, line: string, headers: Record<string, string> = {}) => {
  const [method = "", target = ""] = line.split(" ");
  const url = new URL(target, "https://gate.example");
  const found = match(method, url.pathname, new Request(url, { headers }), url);
  return found.kind === "found"
    ? `${found.route}${Object.entries(found.captures)
        .map(([key, value]) => ` ${key}=${value}`)
        .join("")}`
    : found.kind === "method"
      ? `allow ${found.allow.join(",")}`
      : found.kind;
};

describe("the most specific route wins, whatever the order", () => {
  const lines = [
    "GET /a/{rest*}",
    "GET /a/{id}",
    "GET /a/{n:[0-9]+}",
    "GET /a/me",
    "POST /a/{id}",
    "ANY /a/me/settings",
    "GET /a/me/settings",
    "GET /a/{id}/b/{other}",
    "GET /",
  ];
  const cases: readonly (readonly [string, string])[] = [
    ["GET /a/me", "GET /a/me"],
    ["GET /a/7", "GET /a/{n:[0-9]+} n=7"],
    ["GET /a/x7", "GET /a/{id} id=x7"],
    ["GET /a/x/y", "GET /a/{rest*} rest=x/y"],
    ["GET /a/x/b/z", "GET /a/{id}/b/{other} id=x other=z"],
    ["GET /a/7/b/z", "GET /a/{id}/b/{other} id=7 other=z"],
    ["POST /a/me", "POST /a/{id} id=me"],
    ["GET /a/me/settings", "GET /a/me/settings"],
    ["PATCH /a/me/settings", "ANY /a/me/settings"],
    ["GET /", "GET /"],
    ["GET /a", "none"],
    ["GET /a/", "GET /a/{rest*} rest="],
    ["GET /b", "none"],
    ["HEAD /a/me", "GET /a/me"],
    ["DELETE /a/me", "allow GET,HEAD,OPTIONS,POST"],
    ["DELETE /a/x/y", "allow GET,HEAD,OPTIONS"],
  ];
  for (const [input, expected] of cases)
    it(`${input} → ${expected}`, () => {
      expect(ask(routes(...lines), input)).toBe(expected);
      expect(ask(routes(...lines.toReversed()), input)).toBe(expected);
    });
});

describe("captures are unchanged", () => {
  it("keep percent-encoding, and match no empty segment", () => {
    const match = routes("GET /a/{id}/b");
    expect(ask(match, "GET /a/x%20y/b")).toBe("GET /a/{id}/b id=x%20y");
    expect(ask(match, "GET /a//b")).toBe("none");
  });

  it("drops the captures of a branch without a match", () => {
    const match = routes("GET /{a:[a-z]+}/x/{b}/end", "GET /{c}/{d}/{e}/other");
    expect(ask(match, "GET /k/x/m/other")).toBe("GET /{c}/{d}/{e}/other c=k d=x e=m");
  });

  it("names captures by the matching route", () => {
    const match = routes("GET /a/{one}", "POST /a/{two}");
    expect(ask(match, "POST /a/7")).toBe("POST /a/{two} two=7");
  });
});

describe("an optional rest", () => {
  const match = routes(
    "ANY /a{/rest*}",
    "GET /a",
    "GET /a/b{/rest*}",
    "ANY /a/b/c",
    "GET /a/d/{rest*}",
    "GET /a/d{/rest*}",
    "ANY /{rest*}",
  );
  for (const [input, expected] of [
    ["POST /a", "ANY /a{/rest*} rest="],
    ["GET /a", "GET /a"],
    ["GET /a/", "ANY /a{/rest*} rest=/"],
    ["GET /a/x/y", "ANY /a{/rest*} rest=/x/y"],
    ["GET /a/b", "GET /a/b{/rest*} rest="],
    ["POST /a/b", "ANY /a{/rest*} rest=/b"],
    ["GET /a/b/c", "ANY /a/b/c"],
    ["GET /a/b/c/", "GET /a/b{/rest*} rest=/c/"],
    ["GET /a/d/x", "GET /a/d/{rest*} rest=x"],
    ["GET /a/d", "GET /a/d{/rest*} rest="],
    ["GET /ab", "ANY /{rest*} rest=ab"],
  ] as const)
    it(`${input} → ${expected}`, () => expect(ask(match, input)).toBe(expected));
});

describe("a rank", () => {
  const ranked = (...ranks: readonly (number | undefined)[]): Router =>
    router(
      buildRouteTable(
        ranks.map((rank, index) => ({
          route: `r${index}`,
          methods: ["GET"],
          path: "/a",
          when: [
            ["header", `x-${index}`, "present", ""],
            ...(index === 0 ? ([["query", "q", "absent", ""]] as const) : []),
          ],
          ...(rank !== undefined && { rank }),
        })),
      ),
    );
  const all = { "x-0": "1", "x-1": "1", "x-2": "1" };

  it("takes precedence over the number of conditions; routes without one come last", () => {
    expect(ask(ranked(undefined, 2, 1), "GET /a", all)).toBe("r2");
    expect(ask(ranked(undefined, 2, undefined), "GET /a", all)).toBe("r1");
    expect(ask(ranked(undefined, undefined, undefined), "GET /a", all)).toBe("r0");
  });
});

describe("parsePath", () => {
  for (const [path, complaint] of [
    ["a", /begins with/],
    ["/a//b", /empty segment/],
    ["//", /empty segment/],
    ["/a/{/rest*}", /empty segment/],
    ["/a/{$}", /write the slash alone/],
    ["/{a}{b}", /between two captures/],
    ["/{a:[0-9]}{b}", /between two captures/],
    ["/files-{rest*}", /stands alone/],
    ["/{id}:{id}", /two captures/],
    ["/{id}:can;cel", /no matched path/],
    ["/{id}:%61", /write ":%61" as ":a"/],
    ["/{id}}", /a segment is/],
    ["/{id", /without its/],
    ["/{}", /a segment is/],
    ["/{rest*}/b", /stands last/],
    ["/{/rest*}", /write \/\{rest\*\}/],
    ["/a{/rest*}/b", /without its/],
    ["/{id}{/id*}", /two captures/],
    ["/x{Id}", /a segment is/],
    ["/{Id}", /a segment is/],
    ["/a?b", /no matched path/],
    ["/a;b", /no matched path/],
    ["/café", /write "é" as requests have it: %C3%A9/],
    ["/a<b", /write "<" as requests have it: %3C/],
    ["/caf%c3%a9", /write "caf%c3%a9" as "caf%C3%A9"/],
    ["/%61b", /write "%61b" as "ab"/],
    ["/a%2fb", /no matched path/],
    ["/a%zz", /no matched path/],
    ["/..", /resolved before/],
    ["/a/./b", /resolved before/],
    ["/{id}/{id}", /two captures/],
    ["/{id:(a|b)}", /no groups/],
    ["/{id:[a-z]+[0-9]+}", /one \+ or \*/],
    ["/{id:a{1,9}b{1,9}c{1,9}}", /two places/],
    ["/{id:a{1,999}}", /up to 99/],
    ["/{id:.*}", /no groups/],
  ] as const)
    it(`refuses ${path}`, () => {
      expect(() => parsePath(path)).toThrow(complaint);
    });

  for (const path of [
    "/",
    "/{id:[0-9]+}",
    "/{id:[A-Z]{3}}",
    "/{id:[a-f0-9]{8}-[a-f0-9]{4}}",
    "/{v:v\\d{1,2}}",
    "/{rest*}",
    "/a.b_c~d-e",
    "/a/",
    "/{id}/",
    "/{$}",
    "/{id}:cancel",
    "/{id:[0-9]{3}}:cancel",
    "/{a:[{}]}-{b:\\.{2}}",
    "/@{user}",
    "/v{major}.{minor}",
    "/users({id})",
  ])
    it(`accepts ${path}`, () => {
      expect(ask(routes(`GET ${path}`), "GET /nothing/at/all/of/this")).toMatch(/^none$|rest=/);
    });
});

describe("conditions", () => {
  it("apply to the method itself, so that GET excludes HEAD, and to scheme and port", () => {
    const match = router(
      buildRouteTable([
        { route: "get", methods: ["GET"], path: "/a", when: [["method", "", "exact", "GET"]] },
        { route: "plain", methods: ["ANY"], path: "/b", when: [["scheme", "", "exact", "http"]] },
        { route: "port", methods: ["ANY"], path: "/c", when: [["port", "", "exact", "8080"]] },
        { route: "usual", methods: ["ANY"], path: "/d", when: [["port", "", "exact", "443"]] },
      ]),
    );
    const resultOf = (method: string, address: string, headers = {}) => {
      const url = new URL(address);
      return match(
        method,
        url.pathname,
        new Request(url, { method: "origin" in headers ? "OPTIONS" : method, headers }),
        url,
      ).kind;
    };
    expect(resultOf("GET", "https://g.example/a")).toBe("found");
    expect(resultOf("HEAD", "https://g.example/a")).toBe("condition");
    // A preflight is matched by the requested method.
    expect(
      resultOf("GET", "https://g.example/a", { origin: "https://x.example", "access-control-request-method": "GET" }),
    ).toBe("found");
    expect([resultOf("GET", "http://g.example/b"), resultOf("GET", "https://g.example/b")]).toEqual([
      "found",
      "condition",
    ]);
    expect([resultOf("GET", "http://g.example:8080/c"), resultOf("GET", "http://g.example/c")]).toEqual([
      "found",
      "condition",
    ]);
    expect([resultOf("GET", "https://g.example/d"), resultOf("GET", "http://g.example/d")]).toEqual([
      "found",
      "condition",
    ]);
  });

  const conditioned = (routes: Readonly<Record<string, readonly Matcher[]>>): Router =>
    router(
      buildRouteTable(Object.entries(routes).map(([route, when]) => ({ route, methods: ["GET"], path: "/a", when }))),
    );

  it("tries routes with more conditions first", () => {
    const match = conditioned({
      plain: [],
      beta: [["header", "x-beta", "present", ""]],
      both: [
        ["header", "x-beta", "present", ""],
        ["query", "draft", "exact", "1"],
      ],
    });
    expect(ask(match, "GET /a")).toBe("plain");
    expect(ask(match, "GET /a", { "x-beta": "no matter" })).toBe("beta");
    expect(ask(match, "GET /a?draft=1", { "x-beta": "no matter" })).toBe("both");
    expect(ask(match, "GET /a?draft=2", { "x-beta": "no matter" })).toBe("beta");
  });

  it("falls back to a less specific route, and reports an unmet condition otherwise", () => {
    const match = router(
      buildRouteTable([
        { route: "old", methods: ["GET"], path: "/a", when: [["header", "x-v", "exact", "1"]] },
        { route: "rest", methods: ["POST"], path: "/{rest*}" },
      ]),
    );
    expect(ask(match, "GET /a", { "x-v": "1" })).toBe("old");
    expect(ask(match, "GET /a")).toBe("condition");
    expect(ask(match, "POST /a")).toBe("rest rest=a");
  });

  const cases: readonly (readonly [Matcher, string, Record<string, string>, boolean])[] = [
    [["header", "x-v", "exact", "1"], "/a", { "x-v": "1" }, true],
    [["header", "x-v", "exact", "1"], "/a", { "x-v": "1, 1" }, false],
    [["header", "x-v", "prefix", "mobile-"], "/a", { "x-v": "mobile-7" }, true],
    [["header", "x-v", "prefix", "mobile-"], "/a", { "x-v": "my mobile-7" }, false],
    [["header", "x-v", "matches", "v\\d{1,2}"], "/a", { "x-v": "v12" }, true],
    [["header", "x-v", "matches", "v\\d{1,2}"], "/a", { "x-v": "v123" }, false],
    [["header", "x-v", "absent", ""], "/a", {}, true],
    [["header", "x-v", "absent", ""], "/a", { "x-v": "" }, false],
    [["query", "q", "exact", "a b"], "/a?q=a+b", {}, true],
    [["query", "q", "exact", "a"], "/a?q=a&q=b", {}, false],
    [["query", "q", "present", ""], "/a?q=a&q=b", {}, true],
    [["query", "q", "present", ""], "/a?p", {}, false],
    [["cookie", "sid", "exact", "7"], "/a", { cookie: "a=b; sid=7" }, true],
    [["cookie", "sid", "exact", "7"], "/a", { cookie: "sid=7; sid=8" }, false],
    [
      ["content-type", "", "exact", "application/json"],
      "/a",
      { "content-type": "Application/JSON; charset=utf-8" },
      true,
    ],
    [["content-type", "", "exact", "application/json"], "/a", { "content-type": "application/jsonp" }, false],
  ];
  it.each(cases)("%j of %s %j is %s", (test, target, headers, holds) => {
    expect(ask(conditioned({ it: [test] }), `GET ${target}`, headers)).toBe(holds ? "it" : "condition");
  });
});

describe("methods", () => {
  it("ANY matches methods that can be forwarded, and no others", () => {
    const match = routes("ANY /a");
    expect(ask(match, "DELETE /a")).toBe("ANY /a");
    const url = new URL("https://gate.example/a");
    for (const method of ["TRACE", "CONNECT", "TRACK"])
      expect(match(method, "/a", new Request(url), url)).toEqual({
        kind: "method",
        allow: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
      });
  });
});
