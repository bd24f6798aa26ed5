/**
 * Compares the router with rou3, an independent router. Both have literals, captures, patterns and rests with the same
 * meaning, except for what is mapped here:
 * - `{rest*}` takes what follows its slash, nothing included, but not the path without that slash. rou3's `*` takes both;
 *   so no path here ends where a rest would begin.
 * - rou3 ignores one slash at the end of a path, and here it tells two paths apart; so no path has one.
 * - Which place wins where places take different methods is a rule of this router (`router.property.test.ts` has it); so
 *   each method has a rou3 of its own.
 * - Here a pattern beats a bare capture at its place, whatever follows, and patterns are tried in the order of their texts.
 *   rou3 has one branch for all captures of a place and lets what follows decide; so a place has captures of one kind.
 */
import fc from "fast-check";
import { addRoute, createRouter, findRoute } from "rou3";
import { expect, it } from "vitest";
import { parsePath } from "../../../functions/gateway/routing/match.ts";
import { buildRouteTable, type RouteEntry } from "../../../functions/gateway/routing/route-table.ts";
import { router } from "../../../functions/gateway/routing/router.ts";
import { runs } from "../runs.ts";

const methods = ["GET", "POST"] as const;

const patternOf = (path: string): string =>
  `/${parsePath(path)
    .map((it) => {
      if (it.kind === "literal") return it.text;
      if (it.kind === "mixed") throw new Error("rou3 has a rule of its own for segments that mix text and captures");
      return it.kind === "rest" ? "*" : `:${it.name}${it.pattern ? `(${it.pattern})` : ""}`;
    })
    .join("/")}`;

/** The capture at each depth. Names are the depth, so that both routers name captures alike. */
const captures = fc.array(fc.constantFrom("", ":[0-9]+", ":[a-z]{1,2}"), { minLength: 5, maxLength: 5 });

const shape = fc.record({
  segments: fc.array(fc.constantFrom("a", "b", "ab", "7", null, null), { minLength: 1, maxLength: 5 }),
  rest: fc.boolean(),
  methods: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1 }),
});

const routes = fc.tuple(captures, fc.array(shape, { maxLength: 20 })).map(([kinds, shapes]) =>
  shapes.map(({ segments, rest, methods }, index): RouteEntry => {
    const texts = segments.map((text, depth) => text ?? `{p${depth}${kinds[depth]}}`);
    return {
      route: `r${String(index).padStart(2, "0")}`,
      methods,
      path: `/${[...texts, ...(rest ? ["{rest*}"] : [])].join("/")}`,
    };
  }),
);

const sampleRequest = fc.record({
  method: fc.constantFrom(...methods),
  path: fc
    .array(fc.constantFrom("a", "b", "ab", "7", "42", "c"), { minLength: 1, maxLength: 7 })
    .map((parts) => `/${parts.join("/")}`),
});

const endsAtRest = (entries: readonly RouteEntry[], path: string): boolean =>
  entries.some((it) => it.path.endsWith("/{rest*}") && it.path.split("/").length - 1 === path.split("/").length);

const numRuns = runs(600, 3000);

it("finds the routes and captures that rou3 finds", { timeout: 60_000 }, () => {
  let found = 0;
  let compared = 0;
  fc.assert(
    fc.property(routes, fc.array(sampleRequest, { minLength: 10, maxLength: 10 }), (entries, requests) => {
      const match = router(buildRouteTable(entries));
      const url = new URL("https://gate.example");
      const request = new Request(url);
      for (const method of methods) {
        const peer = createRouter<string>();
        for (const it of entries) if (it.methods.includes(method)) addRoute(peer, method, patternOf(it.path), it.route);
        for (const it of requests) {
          if (it.method !== method || endsAtRest(entries, it.path)) continue;
          const theirs = findRoute(peer, method, it.path);
          const ours = match(method, it.path, request, url);
          compared++;
          if (theirs === undefined) {
            expect(ours.kind).not.toBe("found");
            continue;
          }
          found++;
          const { "0": rest, ...named } = { ...theirs.params };
          const captures = rest === undefined ? named : { ...named, rest };
          expect(ours).toEqual({ kind: "found", route: theirs.data, captures });
        }
      }
    }),
    { numRuns, seed: 20_261_126 },
  );
  // Both outcomes occurred often, so that each has been tested.
  expect(found).toBeGreaterThan(numRuns * 0.6);
  expect(compared - found).toBeGreaterThan(numRuns * 0.6);
});
