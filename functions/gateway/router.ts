/** Finds the route of a request in a compiled table. */
import { type Holds, holdsAll } from "./conditions.ts";
import type { Candidate, Ends, Table } from "./table.ts";

export type Match =
  | { readonly kind: "found"; readonly route: string; readonly captures: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly kind: "method"; readonly allow: readonly string[] }
  /** Path and method are known, but each route has conditions that do not hold. */
  | { readonly kind: "condition" }
  | { readonly kind: "none" };

/** @param path in its canonical form. Captures are handed out as they stand in it, percent-encoded. */
export type Router = (method: string, path: string, request: Request, url: URL) => Match;

interface Node {
  readonly literals: ReadonlyMap<string, Node> | null;
  readonly captures: readonly { readonly test: RegExp | null; readonly node: Node }[];
  readonly ends: Methods | null;
  readonly rest: Methods | null;
}
interface Choice {
  readonly candidate: Candidate;
  readonly holds: Holds | null;
}
type Methods = ReadonlyMap<string, readonly Choice[]>;

/** Indexes a table: maps for its lists, compiled patterns. */
export const router = (table: Table): Router => {
  const root = indexed(table);
  return (method, path, request, url) => {
    const search: Search = { method, path, request, url, taken: [], allow: undefined, unmet: false };
    const found = path === "/" ? settle(root.ends, search) || walk(root, 1, search) : walk(root, 1, search);
    if (found) return { kind: "found", route: found.route, captures: named(found.names, search.taken) };
    if (search.unmet) return { kind: "condition" };
    return search.allow ? { kind: "method", allow: allowed(search.allow) } : { kind: "none" };
  };
};

const indexed = ({ literals, captures, ends, rest }: Table): Node => ({
  literals: literals ? new Map(literals.map(([text, child]) => [text, indexed(child)])) : null,
  captures: (captures ?? []).map(([pattern, child]) => ({
    test: pattern === "" ? null : new RegExp(`^(?:${pattern})$`),
    node: indexed(child),
  })),
  ends: ends ? choices(ends) : null,
  rest: rest ? choices(rest) : null,
});

const choices = (ends: Ends): Methods =>
  new Map(
    ends.map(([method, candidates]) => [
      method,
      candidates.map((candidate) => ({ candidate, holds: candidate.when ? holdsAll(candidate.when) : null })),
    ]),
  );

interface Search {
  readonly method: string;
  readonly path: string;
  readonly request: Request;
  readonly url: URL;
  /** What has been captured on the way to here. */
  readonly taken: string[];
  /** Methods that the path is known with, where none of them is the request's. */
  allow: Set<string> | undefined;
  unmet: boolean;
}

/** Depth first, most specific first; a branch that leads nowhere gives back what it captured. */
const walk = (here: Node, start: number, search: Search): Candidate | undefined => {
  const { path, taken } = search;
  if (start > path.length) return settle(here.ends, search);
  const slash = path.indexOf("/", start);
  const end = slash < 0 ? path.length : slash;
  const segment = path.slice(start, end);
  const literal = here.literals?.get(segment);
  const found = literal && walk(literal, end + 1, search);
  if (found) return found;
  if (segment !== "")
    for (const { test, node } of here.captures) {
      if (test !== null && !test.test(segment)) continue;
      taken.push(segment);
      const deeper = walk(node, end + 1, search);
      if (deeper) return deeper;
      taken.pop();
    }
  if (!here.rest) return undefined;
  taken.push(path.slice(start));
  const last = settle(here.rest, search);
  if (!last) taken.pop();
  return last;
};

/** The route that takes the request's method here: its own name first, GET for HEAD, then ANY. */
const settle = (methods: Methods | null, search: Search): Candidate | undefined => {
  if (!methods) return undefined;
  const { method } = search;
  const found =
    fulfilled(methods.get(method), search) ??
    (method === "HEAD" ? fulfilled(methods.get("GET"), search) : undefined) ??
    (unroutable.has(method) ? undefined : fulfilled(methods.get("ANY"), search));
  if (!found) search.allow = new Set([...(search.allow ?? []), ...methods.keys()]);
  return found;
};

/** What no service is asked with: the Fetch standard forbids it (section 2.2.1). */
const unroutable: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

const fulfilled = (all: readonly Choice[] | undefined, search: Search): Candidate | undefined => {
  if (!all) return undefined;
  for (const { candidate, holds } of all) if (!holds || holds(search.request, search.url)) return candidate;
  search.unmet = true;
  return undefined;
};

const named = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  const captures: Record<string, string> = {};
  names.forEach((name, index) => {
    captures[name] = values[index] as string;
  });
  return captures;
};

/** For the Allow header: GET brings HEAD along, and OPTIONS is always answered. */
const allowed = (methods: ReadonlySet<string>): string[] => {
  const names = methods.has("ANY") ? ["DELETE", "GET", "PATCH", "POST", "PUT"] : [];
  return [...new Set([...methods, ...names, ...(methods.has("GET") || methods.has("ANY") ? ["HEAD"] : []), "OPTIONS"])]
    .filter((method) => method !== "ANY")
    .sort();
};
