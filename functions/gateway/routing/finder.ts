/** Finds the route of a request by its canonical path. Paths with an encoded slash only match routes that keep it. */

import { canonicalPath, hasEncodedSlash } from "../http/path.ts";
import type { RequestUrl } from "../http/request-url.ts";
import type { RouteTable } from "./route-table.ts";
import { type Match, router } from "./router.ts";

export interface RouteTables {
  readonly table: RouteTable;
  /** The route table for paths with an encoded slash, if a route keeps them. */
  readonly slashes?: RouteTable;
}

export interface RouteFinder {
  /** @returns undefined for an ambiguous path */
  readonly canonical: (pathname: string) => string | undefined;
  /** @returns undefined when the path has an encoded slash and no route that keeps it matches */
  readonly find: (method: string, path: string, request: Request, url: RequestUrl) => Match | undefined;
}

export const createRouteFinder = ({ table, slashes }: RouteTables): RouteFinder => {
  const find = router(table);
  if (!slashes) return { canonical: (pathname) => canonicalPath(pathname), find };
  const findWithSlashes = router(slashes);
  return {
    canonical: (pathname) => canonicalPath(pathname, "keep"),
    find: (method, path, request, url) => {
      if (!hasEncodedSlash(path)) return find(method, path, request, url);
      const found = findWithSlashes(method, path, request, url);
      return found.kind === "none" ? undefined : found;
    },
  };
};
