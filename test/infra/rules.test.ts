/** Rules that no part there is can break yet, with parts that could; and what patterns share. */
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { defineFilter } from "../../functions/gateway/part.ts";
import { environment } from "../../functions/manifest/environment.ts";
import { check } from "../../infra/compiler/check/check.ts";
import type { CheckInputs } from "../../infra/compiler/model/checked.ts";
import { parseSource } from "../../infra/diagnostics/source.ts";
import { canMatch, commonMatch } from "../../infra/patterns/pattern-overlap.ts";
import { registry } from "../../infra/project/registry.ts";

const part = (more: object) =>
  defineFilter({
    kind: "layer",
    phase: "content",
    schema: z.strictObject({ times: z.int().default(1) }),
    example: {},
    codes: {},
    ...more,
  });

const surroundings: CheckInputs = {
  registry: {
    ...registry,
    filters: {
      ...registry.filters,
      mirror: part({ connections: ({ times }: { times: number }) => times }),
      validate: part({ kind: "guard", readsBody: true }),
    },
  },
  environment: { name: "local", file: "routes/environments/local.yaml", value: environment().parse({}) },
  presets: { names: [], find: () => undefined },
};

const codes = (filters: string) =>
  check(
    parseSource(
      "routes/a.yaml",
      `api: postern/v1\ntier: a\nhosts: [a.example]\nfilters: ${filters}\nupstreams: { it: { http: "https://it.example" } }\nroutes: { one: { match: POST /one, to: it } }\n`,
    ),
    surroundings,
  ).problems.map(({ code, message }) => `${code} ${message}`);

describe("open connections", () => {
  it("five held by layers and the upstream's make six: that is what there is", () => {
    expect(codes("[{ mirror: { times: 3 } }, { mirror: { times: 2 }, id: other }]")).toEqual([]);
  });
  it("one more is too many", () => {
    expect(codes("[{ mirror: { times: 3 } }, { mirror: { times: 3 }, id: other }]")).toEqual([
      "too-many-connections a request of one could need 7 open connections; the platform allows 6",
    ]);
  });
});

describe("bodies", () => {
  const unbounded = ["body-unbounded validate reads request bodies of one without a size limit"];
  it("a filter that reads them has a limit ahead", () => {
    expect(codes("[{ body-limit: 1KiB }, { validate: {} }]")).toEqual([]);
    expect(codes("[{ validate: {} }]")).toEqual(unbounded);
    expect(codes("[{ validate: {} }, { body-limit: 1KiB }]")).toContain(unbounded[0]);
  });
  it("one that is only shadowed, or for some, is none", () => {
    expect(codes("[{ body-limit: 1KiB, mode: shadow }, { validate: {} }]")).toEqual(unbounded);
    expect(codes("[{ body-limit: 1KiB, percent: 50% }, { validate: {} }]")).toEqual(unbounded);
    expect(codes("[{ body-limit: 1KiB, when: { header: { x-a: present } } }, { validate: {} }]")).toEqual(unbounded);
  });
});

describe("what two patterns share", () => {
  it.each([
    ["[0-9]+", "[a-z]+", undefined],
    ["[0-9]+", "[0-9a-f]{4}", "0000"],
    ["a?b", "ab", "ab"],
    ["a{2,3}", "a{4,5}", undefined],
    ["a{2,4}", "a{4,5}", "aaaa"],
    ["\\d{3}-x", "[0-9]+-[a-z]", "000-x"],
    ["v\\d{1,2}", "[^v].*".replace(".*", "[a-z]*"), undefined],
    ["[A-Z]{3}", "\\w+", "AAA"],
  ])("%s and %s: %s", (a, b, text) => {
    expect(commonMatch(a, b)).toBe(text);
    expect(commonMatch(b, a) === undefined).toBe(text === undefined);
    if (text !== undefined) for (const pattern of [a, b]) expect(text).toMatch(new RegExp(`^(?:${pattern})$`));
  });
  it("a pattern that no segment fits", () => {
    expect([canMatch("[;]+"), canMatch("a{0}"), canMatch("[a;]")]).toEqual([false, false, true]);
  });
});

describe("conditions that exclude each other leave no doubt which route is meant", () => {
  const both = (a: string, b: string) =>
    check(
      parseSource(
        "routes/a.yaml",
        `api: postern/v1\ntier: a\nhosts: [a.example]\nroutes:\n  a: { match: GET /x, when: { header: { x-a: ${a} } }, respond: {} }\n  b: { match: GET /x, when: { header: { x-a: ${b} } }, respond: {} }\n`,
      ),
      surroundings,
    ).problems.map(({ code }) => code);

  it.each([
    ["absent", "present"],
    ["absent", '"1"'],
    ['"1"', '"2"'],
    ['"1"', "{ prefix: a }"],
    ["{ prefix: ab }", "{ prefix: ac }"],
    ['{ matches: "[0-9]+" }', "abc"],
    ["{ exact: absent }", "absent"],
  ])("%s and %s", (a, b) => {
    expect([both(a, b), both(b, a)]).toEqual([[], []]);
  });

  it.each([
    ["present", '"1"'],
    ["abc", "{ prefix: ab }"],
    ["{ prefix: a }", "{ prefix: ab }"],
    ['{ matches: "[0-9]+" }', '"12"'],
    ['{ matches: "[0-9]+" }', '{ matches: "[a-z]+" }'],
  ])("%s and %s do not", (a, b) => {
    expect([both(a, b), both(b, a)]).toEqual([["ambiguous-match"], ["ambiguous-match"]]);
  });
});
