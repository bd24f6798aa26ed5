import { describe, expect, it } from "vitest";
import { Claims, Consumer, learn } from "../../../functions/gateway/facts.ts";
import { pathOf, piecesOf, template } from "../../../functions/gateway/references.ts";
import type { Context } from "../../../functions/gateway/types.ts";
import { caller } from "../conversation.ts";

const context = (): Context => {
  const made: Context = {
    caller,
    url: new URL("https://gate.example/a/x%20y?page=2&empty=&bad=%ff"),
    route: { tier: "t", name: "r" },
    captures: { id: "x%20y", rest: "a/b%20c" },
    signal: undefined,
    facts: new Map(),
    outbound: [],
    inbound: [],
    outcome: { verdict: "passed" },
  };
  learn(made, Consumer, { id: "alice/1", labels: { plan: "gold" } });
  learn(made, Claims, { sub: "alice", age: 7, admin: true, nested: { a: 1 }, "https://acme.example/role": "teller" });
  return made;
};
const request = new Request("https://gate.example/", { headers: { "x-a": "1", cookie: "a=b; sid=s1; x=" } });

describe("in a header", () => {
  it.each([
    ["{path.id}", "x y"],
    ["{query.page}", "2"],
    ["{query.empty}", ""],
    ["{header.x-a}", "1"],
    ["{cookie.sid}", "s1"],
    ["{consumer.id}", "alice/1"],
    ["{consumer.labels.plan}", "gold"],
    ["{claim.age}", "7"],
    ["{claim.admin}", "true"],
    ["{claim.https://acme.example/role}", "teller"],
    ["{client.ip}", "203.0.113.7"],
    ["{request.id}", caller.requestId],
    ["user={claim.sub};plan={consumer.labels.plan}", "user=alice;plan=gold"],
  ])("%s is %s", (text, value) => {
    expect(template(text, "header")(request, context())).toBe(value);
  });

  it.each(["{query.none}", "{cookie.none}", "{claim.nested}", "{claim.toString}", "{consumer.labels.none}"])(
    "%s is missing",
    (text) => {
      expect(template(text, "header")(request, context())).toBeUndefined();
    },
  );

  it("no value ends a line or leaves ASCII", () => {
    const it = context();
    learn(it, Consumer, { id: "a\r\nx-admin: 1 漢 \ud800", labels: {} });
    const value = template("{consumer.id}", "header")(request, it);
    expect(value).toBe("a%0D%0Ax-admin: 1 %E6%BC%A2 %EF%BF%BD");
    expect(() => new Headers({ x: value ?? "" })).not.toThrow();
  });
});

describe("in a path", () => {
  it.each([
    ["/b/{path.id}", "/b/x%20y"],
    ["/b/{path.rest}", "/b/a/b%20c"],
    ["/b/{consumer.id}/c", "/b/alice%2F1/c"],
    ["/b/{query.page}", "/b/2"],
  ])("%s is %s", (text, value) => {
    expect(template(text, "path")(request, context())).toBe(value);
  });
});

describe("a value that would lead elsewhere stands in no path", () => {
  const path = (value: string) => {
    const it = context();
    learn(it, Consumer, { id: value, labels: {} });
    return template("/b/{consumer.id}/c", "path")(request, it);
  };
  it.each([
    ...[
      "",
      ".",
      "..",
      "../a",
      "a/../../b",
      "..\\a",
      "%2e%2e",
      "..%2fa",
      "a%2f..%2fb",
      "%252e%252e%252fa",
      "..;a",
      "..%3ba",
    ],
    ...["..\0", "a\r\nb", "\0", "\x7f", "a".repeat(8000)],
  ])("%j", (value) => {
    expect(path(value)).toBeUndefined();
  });
  it.each([
    ["...", "..."],
    ["a..b", "a..b"],
    [".well-known", ".well-known"],
    ["a/b", "a%2Fb"],
    ["/a", "%2Fa"],
    ["?a#b", "%3Fa%23b"],
    ["50%", "50%25"],
    ["ü;v", "%C3%BC%3Bv"],
  ])("%j may", (value, written) => {
    expect(path(value)).toBe(`/b/${written}/c`);
  });
  it("and is looked at in no more time than its length asks for", () => {
    const started = Date.now();
    for (const unit of ["%25", "25", "/", "..", "%2e", "%2f.", "%"]) path(unit.repeat(7000 / unit.length));
    expect(Date.now() - started).toBeLessThan(500);
  });
});

it.each(["/a/../b", "/./a", "/a//b", "/a/..", "/{path.id}/%2e%2e/b", "/a%00", "/a%2f..%2fb"])(
  "no manifest asks for %s",
  (text) => {
    expect(() => pathOf(text)).toThrow("a path has no empty and no dot segments");
  },
);

it.each(["/", "/a/", "/a.b/..c/{path.id}", "/.{path.id}", "/ä", "/{path.a}{path.b}"])(
  "a manifest may ask for %s",
  (text) => {
    expect(() => pathOf(text)).not.toThrow();
  },
);

it.each([
  ["{path}", /no reference/],
  ["{body.x}", /begins with one of/],
  ["{consumer.name}", /consumer has no "name"/],
  ["{client.port}", /client has no "port"/],
  ["a{b", /brace without/],
  ["a}b", /brace without/],
  ["{}", /no reference/],
  ["{__proto__.x}", /no reference/],
  ["{constructor.x}", /no reference/],
])("%s is refused", (text, complaint) => {
  expect(() => piecesOf(text)).toThrow(complaint);
});
