import { describe, expect, it } from "vitest";
import { router, segmentsOf } from "../../../functions/gateway/router.ts";

const routes = (...lines: string[]) =>
  router(
    lines.map((line) => {
      const [methods = "", path = ""] = line.split(" ");
      return { methods: methods.split(","), path, value: line };
    }),
  );

const ask = (match: ReturnType<typeof routes>, line: string) => {
  const [method = "", path = ""] = line.split(" ");
  const found = match(method, path);
  return found.kind === "found"
    ? `${found.value}${Object.entries(found.captures)
        .map(([key, value]) => ` ${key}=${value}`)
        .join("")}`
    : found.kind === "method"
      ? `allow ${found.allow.join(",")}`
      : "none";
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
  for (const [asked, expected] of cases)
    it(`${asked} → ${expected}`, () => {
      expect(ask(routes(...lines), asked)).toBe(expected);
      expect(ask(routes(...lines.toReversed()), asked)).toBe(expected);
    });
});

describe("what is captured is handed out as it came", () => {
  it("keeps percent-encoding, and takes no empty segment", () => {
    const match = routes("GET /a/{id}/b");
    expect(ask(match, "GET /a/x%20y/b")).toBe("GET /a/{id}/b id=x%20y");
    expect(ask(match, "GET /a//b")).toBe("none");
  });

  it("gives back the captures of a branch that led nowhere", () => {
    const match = routes("GET /{a:[a-z]+}/x/{b}/end", "GET /{c}/{d}/{e}/other");
    expect(ask(match, "GET /k/x/m/other")).toBe("GET /{c}/{d}/{e}/other c=k d=x e=m");
  });

  it("names captures by the route that won, not by one that shares its shape", () => {
    const match = routes("GET /a/{one}", "POST /a/{two}");
    expect(ask(match, "POST /a/7")).toBe("POST /a/{two} two=7");
  });
});

describe("segmentsOf", () => {
  for (const [path, complaint] of [
    ["a", /begins with/],
    ["/a//b", /empty segment/],
    ["/a/", /slash at its end/],
    ["/{rest*}/b", /stands last/],
    ["/x{id}", /a segment is/],
    ["/{Id}", /a segment is/],
    ["/a?b", /no matched path/],
    ["/{id:(a|b)}", /no groups/],
    ["/{id:[a-z]+[0-9]+}", /one \+ or \*/],
    ["/{id:a{1,9}b{1,9}c{1,9}}", /two places/],
    ["/{id:a{1,999}}", /up to 99/],
    ["/{id:.*}", /no groups/],
  ] as const)
    it(`refuses ${path}`, () => {
      expect(() => segmentsOf(path)).toThrow(complaint);
    });

  for (const path of [
    "/",
    "/{id:[0-9]+}",
    "/{id:[A-Z]{3}}",
    "/{id:[a-f0-9]{8}-[a-f0-9]{4}}",
    "/{v:v\\d{1,2}}",
    "/{rest*}",
    "/a.b_c~d-e",
  ])
    it(`takes ${path}`, () => {
      expect(() => router([{ methods: ["GET"], path, value: 1 }])).not.toThrow();
    });
});
