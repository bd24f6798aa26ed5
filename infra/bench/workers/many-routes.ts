/** Generates any number of routes of the kinds that manifests have, and requests for them. */
import type { RouteEntry } from "../../../functions/gateway/routing/route-table.ts";

/** Resources of five routes each, spread over a hundred services. */
export const manyRoutes = (count: number): RouteEntry[] =>
  Array.from({ length: count }, (_, index) => {
    const [path, methods] = kinds[index % kinds.length] as (typeof kinds)[number];
    return { route: `route-${index}`, methods: [...methods], path: basePath(index) + path };
  });

/** One request for each route, in an order that jumps about. */
export const requestsTo = (count: number): { readonly method: string; readonly path: string }[] =>
  Array.from({ length: count }, (_, turn) => {
    const index = (turn * 7919) % count;
    const [, methods, example] = kinds[index % kinds.length] as (typeof kinds)[number];
    return { method: methods[0], path: basePath(index) + example };
  });

const kinds = [
  ["", ["GET"], ""],
  ["", ["POST"], ""],
  ["/{id}", ["GET"], "/a7f3c2d1"],
  ["/{number:[0-9]+}/lines/{line}", ["GET"], "/1234567/lines/12"],
  ["/files/{rest*}", ["ANY"], "/files/2026/11/report.pdf"],
] as const;

const basePath = (index: number): string => {
  const resource = Math.floor(index / kinds.length);
  return `/service-${resource % 100}/v1/resource-${Math.floor(resource / 100)}`;
};
