/** Finds the route of a request by the path in its canonical form; paths with an encoded slash are for the routes that keep it. */

import { canonicalPath, hasEncodedSlash } from "../http/path.ts";
import type { Address } from "../http/request-url.ts";
import type { Table } from "./route-table.ts";
import { type Match, router } from "./router.ts";

export interface Routing {
  readonly table: Table;
  /** Of the routes that keep encoded slashes, where there are any. */
  readonly slashes?: Table;
}

export interface Finder {
  /** @returns undefined for a path that means one thing to one server and another to the next */
  readonly canonical: (pathname: string) => string | undefined;
  /** @returns undefined where the path has an encoded slash, and no route that keeps it has the path */
  readonly find: (method: string, path: string, request: Request, url: Address) => Match | undefined;
}

export const finder = ({ table, slashes }: Routing): Finder => {
  const find = router(table);
  if (!slashes) return { canonical: (pathname) => canonicalPath(pathname), find };
  const keeping = router(slashes);
  return {
    canonical: (pathname) => canonicalPath(pathname, "keep"),
    find: (method, path, request, url) => {
      if (!hasEncodedSlash(path)) return find(method, path, request, url);
      const found = keeping(method, path, request, url);
      return found.kind === "none" ? undefined : found;
    },
  };
};
