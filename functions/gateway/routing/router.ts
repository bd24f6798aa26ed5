/** Finds the route of a request in a compiled table. */
import type { Address } from "../http/request-url.ts";
import { type Cutter, cutter } from "./mixed-segment.ts";
import { type Holds, holdsAll } from "./matchers.ts";
import type { Candidate, Ends, Table } from "./route-table.ts";

export type Match =
  | { readonly kind: "found"; readonly route: string; readonly captures: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly kind: "method"; readonly allow: readonly string[] }
  /** Path and method are known, but each route has conditions that do not hold. */
  | { readonly kind: "condition" }
  | { readonly kind: "none" };

/** @param path in its canonical form. Captures are handed out as they stand in it, percent-encoded. */
export type Router = (method: string, path: string, request: Request, url: Address) => Match;

/** A place in the tree. It is indexed when a request first comes by, so a start costs nothing, however many routes there are. */
interface Node {
  readonly table: Table;
  index: Index | undefined;
}
interface Index {
  /** Most places have one way on, which needs no map. */
  readonly only: { readonly text: string; readonly node: Node } | null;
  readonly literals: ReadonlyMap<string, Node> | null;
  /** Those that mix text and captures first. */
  readonly captures: readonly Taking[] | null;
  readonly ends: Methods | null;
  readonly rest: Methods | null;
  readonly tail: Methods | null;
}
/** A way on that takes a segment, or pieces of it. */
interface Taking {
  readonly cut: Cutter | null;
  readonly test: RegExp | null;
  readonly node: Node;
}
interface Choice {
  readonly candidate: Candidate;
  readonly holds: Holds | null;
}
/** So few that they are looked through. */
type Methods = readonly { readonly method: string; readonly choices: readonly Choice[] }[];

/** Those of a table that have been met, each once. */
type Patterns = Map<string, RegExp>;

/** Prepares a table: each place of it at the first request that comes by. */
export const router = (table: Table): Router => {
  const root = unopened(table);
  const patterns: Patterns = new Map();
  return (method, path, request, url) => {
    const search: Search = { method, path, request, url, patterns, taken: [], allow: undefined, unmet: false };
    const found = (path === "/" && settle(opened(root, patterns).ends, search)) || walk(root, 1, search);
    if (found) return { kind: "found", route: found.route, captures: named(found.names, search.taken) };
    if (search.unmet) return { kind: "condition" };
    return search.allow ? { kind: "method", allow: allowed(search.allow) } : { kind: "none" };
  };
};

const unopened = (table: Table): Node => ({ table, index: undefined });

const opened = (node: Node, patterns: Patterns): Index => {
  node.index ??= indexed(node.table, patterns);
  return node.index;
};

const indexed = ({ literals = [], mixed = [], captures = [], ends, rest, tail }: Table, patterns: Patterns): Index => {
  const nodes = literals.map(([text, child]) => [text, unopened(child)] as const);
  const [first] = nodes;
  const takings = [
    ...mixed.map(([cut, child]) => ({
      cut: cutter(cut, (pattern) => compiled(pattern, patterns)),
      test: null,
      node: unopened(child),
    })),
    ...captures.map(([pattern, child]) => ({
      cut: null,
      test: pattern === "" ? null : compiled(pattern, patterns),
      node: unopened(child),
    })),
  ];
  return {
    only: first && nodes.length === 1 ? { text: first[0], node: first[1] } : null,
    literals: nodes.length > 1 ? new Map(nodes) : null,
    captures: takings.length > 0 ? takings : null,
    ends: ends ? choices(ends) : null,
    rest: rest ? choices(rest) : null,
    tail: tail ? choices(tail) : null,
  };
};

const compiled = (pattern: string, patterns: Patterns): RegExp => {
  const known = patterns.get(pattern) ?? new RegExp(`^(?:${pattern})$`);
  patterns.set(pattern, known);
  return known;
};

const choices = (ends: Ends): Methods =>
  ends.map(([method, candidates]) => ({
    method,
    choices: candidates.map((candidate) => ({ candidate, holds: candidate.when ? holdsAll(candidate.when) : null })),
  }));

interface Search {
  readonly method: string;
  readonly path: string;
  readonly request: Request;
  readonly url: Address;
  readonly patterns: Patterns;
  /** What has been captured on the way to here. */
  readonly taken: string[];
  /** Methods that the path is known with, where none of them is the request's. */
  allow: Set<string> | undefined;
  unmet: boolean;
}

/** Depth first, most specific first; a branch that leads nowhere gives back what it captured. */
const walk = (node: Node, start: number, search: Search): Candidate | undefined => {
  const here = node.index ?? opened(node, search.patterns);
  const { path, taken } = search;
  if (start > path.length) return settle(here.ends, search) ?? settleRest(here.tail, "", search);
  const slash = path.indexOf("/", start);
  const end = slash < 0 ? path.length : slash;
  const literal = literalOf(here, path, start, end);
  const found = literal && walk(literal, end + 1, search);
  if (found) return found;
  if (here.captures !== null && end > start) {
    const segment = path.slice(start, end);
    const before = taken.length;
    for (const { cut, test, node } of here.captures) {
      if (cut !== null) {
        const pieces = cut(segment);
        if (pieces === undefined) continue;
        taken.push(...pieces);
      } else if (test !== null && !test.test(segment)) continue;
      else taken.push(segment);
      const deeper = walk(node, end + 1, search);
      if (deeper) return deeper;
      taken.length = before;
    }
  }
  const rest = here.rest && settleRest(here.rest, path.slice(start), search);
  return rest || !here.tail ? (rest ?? undefined) : settleRest(here.tail, path.slice(start - 1), search);
};

const settleRest = (methods: Methods | null, text: string, search: Search): Candidate | undefined => {
  if (methods === null) return undefined;
  search.taken.push(text);
  const found = settle(methods, search);
  if (!found) search.taken.pop();
  return found;
};

const literalOf = ({ only, literals }: Index, path: string, start: number, end: number): Node | undefined => {
  if (literals !== null) return literals.get(path.slice(start, end));
  if (only === null || only.text.length !== end - start) return undefined;
  return path.startsWith(only.text, start) ? only.node : undefined;
};

/** The route that takes the request's method here: its own name first, GET for HEAD, then ANY. */
const settle = (methods: Methods | null, search: Search): Candidate | undefined => {
  if (!methods) return undefined;
  const { method } = search;
  const found =
    fulfilled(methods, method, search) ??
    (method === "HEAD" ? fulfilled(methods, "GET", search) : undefined) ??
    (unroutable.has(method) ? undefined : fulfilled(methods, "ANY", search));
  if (!found) search.allow = new Set([...(search.allow ?? []), ...methods.map((it) => it.method)]);
  return found;
};

/** What no service is asked with: the Fetch standard forbids it (section 2.2.1). */
const unroutable: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

const fulfilled = (methods: Methods, name: string, search: Search): Candidate | undefined => {
  for (const { method, choices } of methods) {
    if (method !== name) continue;
    for (const { candidate, holds } of choices) if (!holds || holds(search.request, search.url)) return candidate;
    search.unmet = true;
  }
  return undefined;
};

const named = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  const captures: Record<string, string> = {};
  for (let index = 0; index < names.length; index++) captures[names[index] as string] = values[index] as string;
  return captures;
};

/** For the Allow header: GET brings HEAD along, and OPTIONS is always answered. */
const allowed = (methods: ReadonlySet<string>): string[] => {
  const names = methods.has("ANY") ? ["DELETE", "GET", "PATCH", "POST", "PUT"] : [];
  return [...new Set([...methods, ...names, ...(methods.has("GET") || methods.has("ANY") ? ["HEAD"] : []), "OPTIONS"])]
    .filter((method) => method !== "ANY")
    .sort();
};
