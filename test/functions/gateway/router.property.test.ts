/** The router against a matcher that is too simple to be wrong: try every route, keep the most specific. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Entry, router, segmentsOf } from "../../../functions/gateway/router.ts";

const rank = { literal: 0, pattern: 1, capture: 2, rest: 3 };

interface Shape {
  readonly regex: RegExp;
  /** A segment's kind, then its pattern, so that shapes can be compared left to right. */
  readonly order: readonly (readonly [number, string])[];
}

const shapeOf = (path: string): Shape => {
  const segments = segmentsOf(path);
  const texts = segments.map((it) =>
    it.kind === "literal"
      ? it.text.replace(/[.~]/g, "\\$&")
      : it.kind === "rest"
        ? "(.*)"
        : `(${it.pattern ?? "[^/]+"})`,
  );
  const order = segments.map((it): [number, string] =>
    it.kind === "capture" ? [it.pattern ? rank.pattern : rank.capture, it.pattern ?? ""] : [rank[it.kind], ""],
  );
  return { regex: new RegExp(`^/${texts.join("/")}$`), order };
};

/** A path that ends is more specific than one that takes a rest. */
const ended = [-1, ""] as const;

const moreSpecific = (a: Shape, b: Shape): number => {
  for (let index = 0; index < Math.max(a.order.length, b.order.length); index++) {
    const [[rankA, textA], [rankB, textB]] = [a.order[index] ?? ended, b.order[index] ?? ended];
    if (rankA !== rankB) return rankA - rankB;
    if (textA !== textB) return textA < textB ? -1 : 1;
  }
  return 0;
};

/** How well a route's methods fit: its own name, GET for HEAD, ANY; or not at all. */
const fitOf = (methods: readonly string[], method: string): number =>
  methods.includes(method) ? 0 : method === "HEAD" && methods.includes("GET") ? 1 : methods.includes("ANY") ? 2 : 9;

const naive = (entries: readonly Entry<number>[], method: string, path: string): number | "method" | "none" => {
  const onPath = entries
    .map((it) => ({ ...it, shape: shapeOf(it.path) }))
    .filter(({ shape }) => shape.regex.test(path));
  const [best] = onPath
    .filter(({ methods }) => fitOf(methods, method) < 9)
    .sort((a, b) => moreSpecific(a.shape, b.shape) || fitOf(a.methods, method) - fitOf(b.methods, method));
  return best ? best.value : onPath.length > 0 ? "method" : "none";
};

const segment = fc.constantFrom("a", "b", "ab", "{x}", "{y}", "{n:[0-9]+}", "{w:[ab]{1,2}}");
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([segments, rest]) => `/${[...new Set(segments), ...(rest ? ["{rest*}"] : [])].join("/")}`);
const methods = fc.uniqueArray(fc.constantFrom("GET", "POST", "HEAD", "ANY"), { minLength: 1, maxLength: 2 });
const asked = fc.tuple(
  fc.constantFrom("GET", "POST", "HEAD", "PUT"),
  fc.array(fc.constantFrom("a", "b", "ab", "7", "c", ""), { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
);

/** Two routes that take the same requests are the checker's to refuse. */
const distinct = (
  routes: readonly { readonly methods: readonly string[]; readonly path: string }[],
): Entry<number>[] => {
  const taken = new Set<string>();
  return routes.flatMap((it, value) => {
    const keys = it.methods.map(
      (method) => `${method} ${JSON.stringify(shapeOf(it.path).order)} ${it.path.replaceAll(/\{[xy]\}/g, "{}")}`,
    );
    if (keys.some((key) => taken.has(key))) return [];
    for (const key of keys) taken.add(key);
    return [{ ...it, value }];
  });
};

it("finds what the naive matcher finds, whatever the order of the routes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ methods, path }), { maxLength: 12 }),
      fc.array(asked, { minLength: 1, maxLength: 10 }),
      (routes, requests) => {
        const entries = distinct(routes);
        const [forwards, backwards] = [router(entries), router(entries.toReversed())];
        for (const [method, target] of requests) {
          const found = forwards(method, target);
          expect(found.kind === "found" ? found.value : found.kind).toBe(naive(entries, method, target));
          expect(backwards(method, target)).toEqual(found);
        }
      },
    ),
    { numRuns: 1_000, seed: 20_261_124 },
  );
});

it("its time on hostile paths is bounded: patterns are linear, the trie has one place a segment", () => {
  const match = router([
    { methods: ["GET"], path: "/{id:[a-z0-9-]{1,64}[a-z0-9]+}/{x}/{y}", value: 1 },
    { methods: ["GET"], path: "/{a}/{b}/{c}/{rest*}", value: 2 },
  ]);
  for (const hostile of [`/${"a".repeat(16_000)}!`, `/${"a/".repeat(8_000)}`, "/".repeat(16_000)])
    expect(["found", "none"]).toContain(match("GET", hostile).kind);
});
