/** Finds the route of a request in a route table. */
import type { RequestUrl } from "../http/request-url.ts";
import { compileMatchers, type RequestPredicate } from "./matchers.ts";
import { type SegmentSplitter, segmentSplitter } from "./mixed-segment.ts";
import type { MethodCandidates, RouteCandidate, RouteTable } from "./route-table.ts";

export type Match =
  | { readonly kind: "found"; readonly route: string; readonly captures: Readonly<Record<string, string>> }
  /** Method not allowed. */
  | { readonly kind: "method"; readonly allow: readonly string[] }
  /** Path and method exist, but no route's conditions are met. */
  | { readonly kind: "condition" }
  | { readonly kind: "none" };

/** @param path in canonical form; captures are returned percent-encoded */
export type Router = (method: string, path: string, request: Request, url: RequestUrl) => Match;

/** A node of the tree. Indexed on first use, so that the start costs nothing, however many routes there are. */
interface Node {
  readonly table: RouteTable;
  index: Index | undefined;
}
interface Index {
  /** Most nodes have one literal child, which needs no map. */
  readonly only: { readonly text: string; readonly node: Node } | null;
  readonly literals: ReadonlyMap<string, Node> | null;
  /** Mixed segments first. */
  readonly captures: readonly Branch[] | null;
  readonly ends: MethodChoices | null;
  readonly rest: MethodChoices | null;
  readonly tail: MethodChoices | null;
}
/** A branch for a capture or a mixed segment. */
interface Branch {
  readonly split: SegmentSplitter | null;
  readonly test: RegExp | null;
  readonly node: Node;
}
interface ConditionalCandidate {
  readonly candidate: RouteCandidate;
  readonly matches: RequestPredicate | null;
}
/** Few enough to scan. */
type MethodChoices = readonly { readonly method: string; readonly choices: readonly ConditionalCandidate[] }[];

/** Compiled patterns of a table. */
type Patterns = Map<string, RegExp>;

/** Creates a router. Nodes are indexed on first use. */
export const router = (table: RouteTable): Router => {
  const root = nodeOf(table);
  const patterns: Patterns = new Map();
  return (method, path, request, url) => {
    const search: Search = {
      method,
      path,
      request,
      url,
      patterns,
      captured: [],
      allow: undefined,
      hasUnmetCondition: false,
    };
    const found = (path === "/" && candidateFor(indexOf(root, patterns).ends, search)) || walk(root, 1, search);
    if (found) return { kind: "found", route: found.route, captures: capturesByName(found.names, search.captured) };
    if (search.hasUnmetCondition) return { kind: "condition" };
    return search.allow ? { kind: "method", allow: allowedMethods(search.allow) } : { kind: "none" };
  };
};

const nodeOf = (table: RouteTable): Node => ({ table, index: undefined });

const indexOf = (node: Node, patterns: Patterns): Index => {
  node.index ??= buildIndex(node.table, patterns);
  return node.index;
};

const buildIndex = (
  { literals = [], mixed = [], captures = [], ends, rest, tail }: RouteTable,
  patterns: Patterns,
): Index => {
  const nodes = literals.map(([text, child]) => [text, nodeOf(child)] as const);
  const [first] = nodes;
  const branches = [
    ...mixed.map(([template, child]) => ({
      split: segmentSplitter(template, (pattern) => compiled(pattern, patterns)),
      test: null,
      node: nodeOf(child),
    })),
    ...captures.map(([pattern, child]) => ({
      split: null,
      test: pattern === "" ? null : compiled(pattern, patterns),
      node: nodeOf(child),
    })),
  ];
  return {
    only: first && nodes.length === 1 ? { text: first[0], node: first[1] } : null,
    literals: nodes.length > 1 ? new Map(nodes) : null,
    captures: branches.length > 0 ? branches : null,
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

const choices = (ends: MethodCandidates): MethodChoices =>
  ends.map(([method, candidates]) => ({
    method,
    choices: candidates.map((candidate) => ({
      candidate,
      matches: candidate.when ? compileMatchers(candidate.when) : null,
    })),
  }));

interface Search {
  readonly method: string;
  readonly path: string;
  readonly request: Request;
  readonly url: RequestUrl;
  readonly patterns: Patterns;
  /** Captures on the way to the current node. */
  readonly captured: string[];
  /** Methods of the path, when none matches the request's. */
  allow: Set<string> | undefined;
  hasUnmetCondition: boolean;
}

/** Searches depth first, most specific branch first. A branch without a match drops its captures. */
const walk = (node: Node, start: number, search: Search): RouteCandidate | undefined => {
  const here = node.index ?? indexOf(node, search.patterns);
  const { path, captured: taken } = search;
  if (start > path.length) return candidateFor(here.ends, search) ?? restCandidate(here.tail, "", search);
  const slash = path.indexOf("/", start);
  const end = slash < 0 ? path.length : slash;
  const literal = literalChild(here, path, start, end);
  const found = literal && walk(literal, end + 1, search);
  if (found) return found;
  if (here.captures !== null && end > start) {
    const segment = path.slice(start, end);
    const before = taken.length;
    for (const { split: cut, test, node } of here.captures) {
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
  const rest = here.rest && restCandidate(here.rest, path.slice(start), search);
  return rest || !here.tail ? (rest ?? undefined) : restCandidate(here.tail, path.slice(start - 1), search);
};

const restCandidate = (methods: MethodChoices | null, text: string, search: Search): RouteCandidate | undefined => {
  if (methods === null) return undefined;
  search.captured.push(text);
  const found = candidateFor(methods, search);
  if (!found) search.captured.pop();
  return found;
};

const literalChild = ({ only, literals }: Index, path: string, start: number, end: number): Node | undefined => {
  if (literals !== null) return literals.get(path.slice(start, end));
  if (only === null || only.text.length !== end - start) return undefined;
  return path.startsWith(only.text, start) ? only.node : undefined;
};

/** The route for the request's method: the method itself, then GET for HEAD, then ANY. */
const candidateFor = (methods: MethodChoices | null, search: Search): RouteCandidate | undefined => {
  if (!methods) return undefined;
  const { method } = search;
  const found =
    firstMatching(methods, method, search) ??
    (method === "HEAD" ? firstMatching(methods, "GET", search) : undefined) ??
    (unroutable.has(method) ? undefined : firstMatching(methods, "ANY", search));
  if (!found) search.allow = new Set([...(search.allow ?? []), ...methods.map((it) => it.method)]);
  return found;
};

/** Methods that the Fetch standard forbids (section 2.2.1). */
const unroutable: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

const firstMatching = (methods: MethodChoices, name: string, search: Search): RouteCandidate | undefined => {
  for (const { method, choices } of methods) {
    if (method !== name) continue;
    for (const { candidate, matches } of choices) if (!matches || matches(search.request, search.url)) return candidate;
    search.hasUnmetCondition = true;
  }
  return undefined;
};

const capturesByName = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  const captures: Record<string, string> = {};
  for (let index = 0; index < names.length; index++) captures[names[index] as string] = values[index] as string;
  return captures;
};

/** Methods for the Allow header: GET implies HEAD, and OPTIONS is always answered. */
const allowedMethods = (methods: ReadonlySet<string>): string[] => {
  const names = methods.has("ANY") ? ["DELETE", "GET", "PATCH", "POST", "PUT"] : [];
  return [...new Set([...methods, ...names, ...(methods.has("GET") || methods.has("ANY") ? ["HEAD"] : []), "OPTIONS"])]
    .filter((method) => method !== "ANY")
    .sort();
};
