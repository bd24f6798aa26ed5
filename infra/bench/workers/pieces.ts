/** Runs a piece of the gateway many times and measures it. Used by `infra/bench/measure/micro.ts`. */
import { addRoute, createRouter, findRoute } from "rou3";
import { pipeline, type Step } from "../../../functions/gateway/core/pipeline.ts";
import type { Caller, Context } from "../../../functions/gateway/core/types.ts";
import type { RouteTable } from "../../../functions/gateway/routing/route-table.ts";
import { router } from "../../../functions/gateway/routing/router.ts";
import { manyRoutes, requestsTo } from "./many-routes.ts";

/** Returns the milliseconds of all calls. */
type Piece = (times: number) => number | Promise<number>;

const url = new URL("https://gate.example/");

/**
 * Matches take all routes in turn.
 * @param text the route table as in a gate's plan
 */
export const piecesOf = (text: string, count: number): Readonly<Record<string, Piece>> => {
  const requests = requestsTo(count);
  const request = new Request(url);
  const prepareRouter = () => router(JSON.parse(text) as RouteTable);
  const ours = prepareRouter();
  const peer = createRouter<string>();
  for (const { methods, path, route } of manyRoutes(count))
    addRoute(peer, methods[0] === "ANY" ? "" : (methods[0] as string), patternOf(path), route);
  const each = (times: number, hit: (method: string, path: string) => boolean): number => {
    let found = 0;
    const began = Date.now();
    for (let time = 0; time < times; time++) {
      const { method, path } = requests[time % count] as (typeof requests)[number];
      if (hit(method, path)) found++;
    }
    const ms = Date.now() - began;
    if (found !== times) throw new Error(`${times - found} of ${times} requests met no route`);
    return ms;
  };
  const matches = (match: typeof ours) => (method: string, path: string) =>
    match(method, path, request, url).kind === "found";
  return {
    match: (times) => each(times, matches(ours)),
    rou3: (times) => each(times, (method, path) => findRoute(peer, method, path) !== undefined),
    ready: () => {
      const began = Date.now();
      prepareRouter();
      return Date.now() - began;
    },
    "all met": () => each(count, matches(prepareRouter())),
    "no guards": chain(0),
    "ten guards": chain(10),
  };
};

/** Converts the paths of these routes to rou3's patterns. */
const patternOf = (path: string): string =>
  path
    .replace("{rest*}", "**")
    .replace(/\{(\w+)(?::([^}]+))?\}/g, (_, name, pattern) =>
      pattern === undefined ? `:${name}` : `:${name}(${pattern})`,
    );

const chain = (count: number): Piece => {
  const idle = Array.from(
    { length: count + 1 },
    (_, it): Step => ({ kind: "guard", id: `${it}`, guard: () => undefined }),
  );
  const answer = Promise.resolve(new Response(null));
  const run = pipeline(idle, () => answer);
  const context = { caller: {} as Caller, outcome: { verdict: "passed" } } as Context;
  const request = new Request(url);
  return async (times) => {
    const began = Date.now();
    for (let time = 0; time < times; time++) await run(request, context);
    return Date.now() - began;
  };
};
