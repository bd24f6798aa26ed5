/** Finds the route of a request by the path in its canonical form; paths with an encoded slash are for the routes that keep it. */

import { canonicalPath, hasEncodedSlash } from "../http/path.ts";
import type { RequestUrl } from "../http/request-url.ts";
import type { RouteTable } from "./route-table.ts";
import { type Match, router } from "./router.ts";

export interface RouteTables {
  readonly table: RouteTable;
  /** Of the routes that keep encoded slashes, where there are any. */
  readonly slashes?: RouteTable;
}

export interface RouteFinder {
  /** @returns undefined for a path that means one thing to one server and another to the next */
  readonly canonical: (pathname: string) => string | undefined;
  /** @returns undefined where the path has an encoded slash, and no route that keeps it has the path */
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
