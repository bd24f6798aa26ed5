/** Claims of tokens: paths, required values, scopes and dates. */
import { describe, expect, it } from "vitest";
import {
  areDatesValid,
  claimPath,
  claimReader,
  claimsMatcher,
  claimText,
  consumerIdOf,
  isClaim,
} from "../../../functions/gateway/core/claims.ts";

describe("a claim's path", () => {
  it.each([
    ["sub", ["sub"]],
    ["realm_access.roles", ["realm_access", "roles"]],
    ["cognito:groups", ["cognito:groups"]],
    ["https://acme.example/roles", ["https://acme.example/roles"]],
    ["acme.example/roles", ["acme.example/roles"]],
    ["urn:zitadel:iam:org:project:roles", ["urn:zitadel:iam:org:project:roles"]],
    ["kubernetes\\.io.namespace", ["kubernetes.io", "namespace"]],
    ["https://hasura\\.io/jwt/claims.x-hasura-role", ["https://hasura.io/jwt/claims", "x-hasura-role"]],
    ["resource_access.https\\://shop\\.example/.roles", ["resource_access", "https://shop.example/", "roles"]],
    ["a\\\\b.c", ["a\\b", "c"]],
    ["a..b", ["a", "", "b"]],
    [".a\\.b.", ["", "a.b", ""]],
  ])("%s", (text, path) => {
    expect(claimPath(text)).toEqual(path);
  });

  it.each(["a..b", ".a", "a.", "a b", "a{b}", "\\", ""])("%j is not a valid claim of a reference", (text) => {
    expect(isClaim(text)).toBe(false);
  });

  it.each(["__proto__", "constructor", "toString", "a.constructor", "list.length", "list.0", "text.length"])(
    "%s is absent",
    (text) => {
      expect(claimReader(text)(JSON.parse('{"a":{},"list":[1],"text":"x"}'))).toBeUndefined();
    },
  );

  it("an own claim may have the name of an inherited property", () => {
    expect(claimReader("__proto__")(JSON.parse('{"__proto__":"x"}'))).toBe("x");
  });
});

describe("required claims", () => {
  const claims = {
    scope: "read write",
    roles: "clerk admin",
    groups: ["Domain Admins", "x"],
    plan: "gold plus",
    levels: [1, 2],
    nested: { roles: ["a"], deep: { roles: "b c" } },
    none: null,
  };
  it.each([
    [{ scope: "write" }, true],
    [{ scope: "read write" }, true],
    [{ roles: ["boss", "admin"] }, true],
    [{ groups: "Domain Admins" }, true],
    [{ groups: "Admins" }, false],
    [{ plan: "gold" }, false],
    [{ plan: "gold plus" }, true],
    [{ levels: 2 }, true],
    [{ levels: "2" }, false],
    [{ "nested.roles": "a", "nested.deep.roles": "c" }, true],
    [{ nested: "a" }, false],
    [{ none: "null" }, false],
    [{ absent: "" }, false],
    [{}, true],
  ])("%j: %s", (required, matches) => {
    expect(claimsMatcher(required as never)(claims)).toBe(matches);
  });
});

it.each([
  ["text", "text"],
  ["", ""],
  [7, "7"],
  [1.5, "1.5"],
  [true, "true"],
  [2 ** 53, undefined],
  [1e21, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [null, undefined],
  [{ a: 1 }, undefined],
  [["a", "b c", 7, false], "a,b c,7,false"],
  [["a,b"], "a%2Cb"],
  [["a%2Cb"], "a%252Cb"],
  [[], ""],
  [["a", { b: 1 }], undefined],
  [["a", ["b"]], undefined],
])("%j as text is %j", (value, text) => {
  expect(claimText(value)).toBe(text);
});

it.each([
  ["alice", "alice"],
  [7, "7"],
  [0, "0"],
  [-7, "-7"],
  [Number.MAX_SAFE_INTEGER, "9007199254740991"],
  ["", undefined],
  [2 ** 53, undefined],
  [1.5, undefined],
  [true, undefined],
  [["alice"], undefined],
  [null, undefined],
  [undefined, undefined],
])("the consumer of %j is %j", (value, consumer) => {
  expect(consumerIdOf(value)).toBe(consumer);
});

it.each([
  [{}, true],
  [{ exp: 1.5, nbf: 0, iat: 253_402_300_799 }, true],
  [{ exp: 1e30 }, false],
  [{ nbf: -1 }, false],
  [{ iat: Number.POSITIVE_INFINITY }, false],
  [{ exp: "1" }, false],
  [{ iat: null }, false],
])("dates of %j are valid: %s", (claims, hold) => {
  expect(areDatesValid(claims)).toBe(hold);
});
