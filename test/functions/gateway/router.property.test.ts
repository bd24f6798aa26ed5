/** Compares the router with a naive matcher that tries every route and keeps the most specific. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { parsePath } from "../../../functions/gateway/routing/match.ts";
import type { Matcher } from "../../../functions/gateway/routing/matchers.ts";
import { buildRouteTable, type RouteEntry } from "../../../functions/gateway/routing/route-table.ts";
import { router } from "../../../functions/gateway/routing/router.ts";
import { runs } from "../runs.ts";

const rank = { literal: 0, mixed: 1, pattern: 2, capture: 3, rest: 4 };

/** Mixed segments also compare by text and patterns, more first. */
type Order = readonly [rank: number, text: number, patterns: number, pattern: string];

interface Shape {
  readonly regex: RegExp;
  /** A segment's kind, then its pattern, so that shapes can be compared left to right. */
  readonly order: readonly Order[];
}

const shapeOf = (path: string): Shape => {
  const segments = parsePath(path);
  const order = segments.map((it): Order => {
    if (it.kind === "mixed") {
      const patterns = it.template.patterns.filter((pattern) => pattern !== "");
      return [rank.mixed, -it.template.texts.join("").length, -patterns.length, JSON.stringify(it.template)];
    }
    return it.kind === "capture"
      ? [it.pattern ? rank.pattern : rank.capture, 0, 0, it.pattern ?? ""]
      : [rank[it.kind], 0, 0, ""];
  });
  const texts = segments.map((it) => {
    if (it.kind === "literal") return exactly(it.text);
    if (it.kind === "rest") return "(.*)";
    if (it.kind === "capture") return `(${it.pattern ?? "[^/]+"})`;
    const { texts, patterns } = it.template;
    return texts
      .map((text, at) => exactly(text) + (at < patterns.length ? `(${patterns[at] || "[^/]+"})` : ""))
      .join("");
  });
  return { regex: new RegExp(`^/${texts.join("/")}$`), order };
};

const exactly = (text: string): string => text.replace(/[^A-Za-z0-9]/g, "\\$&");

/** A path that ends is more specific than one with a rest. */
const ended: Order = [-1, 0, 0, ""];

const moreSpecific = (a: Shape, b: Shape): number => {
  for (let index = 0; index < Math.max(a.order.length, b.order.length); index++) {
    const [left, right] = [a.order[index] ?? ended, b.order[index] ?? ended];
    const before = left.findIndex((it, at) => it !== right[at]);
    if (before >= 0) return (left[before] as number) < (right[before] as number) ? -1 : 1;
  }
  return 0;
};

/** How well a route's methods match: exact, GET for HEAD, ANY, or not at all. */
const fitOf = (methods: readonly string[], method: string): number =>
  methods.includes(method) ? 0 : method === "HEAD" && methods.includes("GET") ? 1 : methods.includes("ANY") ? 2 : 9;

/** All conditions in this test are exact header values. */
const holds = (when: readonly Matcher[] = [], headers: Readonly<Record<string, string>>): boolean =>
  when.every(([, name, , value]) => headers[name] === value);

interface SampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const naive = (entries: readonly RouteEntry[], { method, path, headers }: SampleRequest): string => {
  const onPath = entries
    .map((it) => ({ ...it, shape: shapeOf(it.path) }))
    .filter(({ shape }) => shape.regex.test(path));
  const withMethod = onPath.filter(({ methods }) => fitOf(methods, method) < 9);
  const [best] = withMethod
    .filter(({ when }) => holds(when, headers))
    .sort(
      (a, b) =>
        moreSpecific(a.shape, b.shape) ||
        fitOf(a.methods, method) - fitOf(b.methods, method) ||
        (b.when?.length ?? 0) - (a.when?.length ?? 0) ||
        (a.route < b.route ? -1 : 1),
    );
  if (best) return best.route;
  return withMethod.length > 0 ? "condition" : onPath.length > 0 ? "method" : "none";
};

const segment = fc.constantFrom(
  ...["a", "b", "ab", "{x}", "{y}", "{n:[0-9]+}", "{w:[ab]{1,2}}"],
  ...["{i}:a", "{j}:{k}", "{m:[0-9]+}:{o}", "a{p}", "a{q}:a"],
);
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/", "/{rest*}"))
  .map(([segments, end]) => `/${[...new Set(segments)].join("/")}${end}`)
  .filter((it) => it !== "//")
  .map((it) => it.replace("//", "/"));
const methods = fc.uniqueArray(fc.constantFrom("GET", "POST", "HEAD", "ANY"), { minLength: 1, maxLength: 2 });
const when = fc
  .uniqueArray(fc.constantFrom("x-one", "x-two"), { maxLength: 2 })
  .chain((names) => fc.tuple(...names.map((name) => fc.constantFrom("1", "2").map((value) => [name, value] as const))))
  .map((pairs) => pairs.map(([name, value]): Matcher => ["header", name, "exact", value]));
const sampleRequest = fc.record({
  method: fc.constantFrom("GET", "POST", "HEAD", "PUT"),
  path: fc
    .array(fc.constantFrom("a", "b", "ab", "7", "c", "", "7:a", "b:a", "a:a", "7:b:a"), { maxLength: 5 })
    .map((parts) => `/${parts.join("/")}`),
  headers: fc.record({ "x-one": fc.constantFrom("1", "2"), "x-two": fc.constantFrom("1", "2") }),
});

/** Names follow the list order, so routes that differ only by name have one winner. */
const entriesOf = (
  routes: readonly { readonly methods: readonly string[]; readonly path: string; readonly when: readonly Matcher[] }[],
): RouteEntry[] => routes.map((it, index) => ({ ...it, route: `r${String(index).padStart(2, "0")}` }));

/** Ten requests per table. */
const numRuns = runs(600, 4000);

it("finds what the naive matcher finds, whatever the order of the routes", { timeout: 60_000 }, () => {
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(fc.record({ methods, path, when }), { maxLength: 12 }),
      fc.array(sampleRequest, { minLength: 10, maxLength: 10 }),
      (routes, requests) => {
        const entries = entriesOf(routes);
        const [forwards, backwards] = [router(buildRouteTable(entries)), router(buildRouteTable(entries.toReversed()))];
        for (const it of requests) {
          const url = new URL("https://gate.example");
          const request = new Request(url, { headers: it.headers });
          const found = forwards(it.method, it.path, request, url);
          expect(found.kind === "found" ? found.route : found.kind).toBe(naive(entries, it));
          expect(backwards(it.method, it.path, request, url)).toEqual(found);
          outcomes.set(found.kind, (outcomes.get(found.kind) ?? 0) + 1);
        }
      },
    ),
    { numRuns, seed: 20_261_124 },
  );
  // Every outcome occurred, so that each has been tested.
  for (const kind of ["found", "method", "condition", "none"]) expect(outcomes.get(kind)).toBeGreaterThan(numRuns / 10);
});

it("takes bounded time on hostile paths", () => {
  const match = router(
    buildRouteTable([
      { route: "1", methods: ["GET"], path: "/{id:[a-z0-9-]{1,64}[a-z0-9]+}/{x}/{y}" },
      { route: "2", methods: ["GET"], path: "/{a}/{b}/{c}/{rest*}" },
    ]),
  );
  const url = new URL("https://gate.example");
  for (const hostile of [`/${"a".repeat(16_000)}!`, `/${"a/".repeat(8_000)}`, "/".repeat(16_000)])
    expect(["found", "none"]).toContain(match("GET", hostile, new Request(url), url).kind);
});
