/**
 * Finds the route of a request: a trie of path segments, most specific first whatever the order of the file:
 * a literal beats a pattern, a pattern beats a bare capture, a capture beats `{rest*}`, a named method beats ANY.
 */

export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "capture"; readonly name: string; readonly pattern?: string }
  | { readonly kind: "rest"; readonly name: string };

export interface Entry<T> {
  readonly methods: readonly string[];
  readonly path: string;
  readonly value: T;
}

export type Match<T> =
  | { readonly kind: "found"; readonly value: T; readonly captures: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly kind: "method"; readonly allow: readonly string[] }
  | { readonly kind: "none" };

const capture = /^\{([a-z][a-z0-9-]*)(?::(.+)|(\*))?\}$/;

/**
 * Splits `/accounts/{id:[0-9]+}/{rest*}` into its segments.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export const segmentsOf = (path: string): Segment[] => {
  if (!path.startsWith("/")) throw new SyntaxError("a path begins with /");
  if (path === "/") return [];
  const texts = path.slice(1).split("/");
  return texts.map((text, index): Segment => {
    const [, name, pattern, star] = capture.exec(text) ?? [];
    if (name !== undefined && star) {
      if (index < texts.length - 1) throw new SyntaxError(`{${name}*} takes the rest of the path, so it stands last`);
      return { kind: "rest", name };
    }
    if (name !== undefined) {
      if (pattern === undefined) return { kind: "capture", name };
      const complaint = patternProblem(pattern);
      if (complaint) throw new SyntaxError(complaint);
      return { kind: "capture", name, pattern };
    }
    if (/[{}*]/.test(text))
      throw new SyntaxError(`a segment is a literal, {name}, {name:pattern} or {rest*}, not "${text}"`);
    if (text === "") throw new SyntaxError("a path has no empty segment and no slash at its end");
    if (/[?#%;\\\s]/.test(text)) throw new SyntaxError(`"${text}" has a character that no matched path can have`);
    return { kind: "literal", text };
  });
};

const atom = /(?:\[\^?(?:\\[\w\-\].]|[^\]\\[])+\]|\\[dw.-]|[A-Za-z0-9_~-])(\?|\+|\*|\{\d{1,2}(,\d{1,2})?\})?/y;

/**
 * Patterns run on what a client sent, so they can only be of a kind that takes linear time: atoms in a row, of which two
 * vary in length and one of these without end.
 */
const patternProblem = (pattern: string): string | undefined => {
  let varying = 0;
  let endless = 0;
  atom.lastIndex = 0;
  do {
    const [found, quantifier, range] = atom.exec(pattern) ?? [];
    if (found === undefined)
      return `the pattern "${pattern}" may hold characters, [classes], \\d and \\w, each with ?, +, * or {n,m} up to 99; no groups, no |`;
    if (quantifier === "+" || quantifier === "*") endless++;
    if (quantifier !== undefined && (!quantifier.startsWith("{") || range !== undefined)) varying++;
  } while (atom.lastIndex < pattern.length);
  try {
    new RegExp(pattern);
  } catch {
    return `the pattern "${pattern}" is no regular expression: a range runs backwards`;
  }
  if (endless > 1) return `the pattern "${pattern}" may hold one + or * at most; bound the others: {1,20}`;
  return varying > 2 ? `the pattern "${pattern}" may vary in length at two places at most` : undefined;
};

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  /** Patterned ones first. */
  captures: { readonly source: string; readonly test: RegExp | null; readonly node: Node<T> }[];
  ends: Ends<T> | null;
  rest: Ends<T> | null;
}
interface Ends<T> {
  readonly names: readonly string[];
  readonly methods: Map<string, { readonly value: T; readonly names: readonly string[] }>;
}

const node = <T>(): Node<T> => ({ literals: new Map(), captures: [], ends: null, rest: null });

const childOf = <T>(parent: Node<T>, segment: Exclude<Segment, { kind: "rest" }>): Node<T> => {
  if (segment.kind === "literal") {
    const child = parent.literals.get(segment.text) ?? node<T>();
    parent.literals.set(segment.text, child);
    return child;
  }
  const source = segment.pattern ?? "";
  const known = parent.captures.find((it) => it.source === source);
  if (known) return known.node;
  const made = { source, test: source ? new RegExp(`^(?:${source})$`) : null, node: node<T>() };
  parent.captures = [...parent.captures, made].sort(
    (a, b) => Number(a.test === null) - Number(b.test === null) || (a.source < b.source ? -1 : 1),
  );
  return made.node;
};

/** Whether a request with `method` may end here; HEAD is served by GET. */
const endFor = <T>(ends: Ends<T>, method: string) =>
  ends.methods.get(method) ?? (method === "HEAD" ? ends.methods.get("GET") : undefined) ?? ends.methods.get("ANY");

/**
 * Builds the matcher. Later entries with the same methods and shape of path lose; the checker refuses them.
 * Captures are handed out as they came, percent-encoded: what is passed on is what was matched.
 */
export const router = <T>(entries: readonly Entry<T>[]): ((method: string, path: string) => Match<T>) => {
  const root = node<T>();
  for (const { methods, path, value } of entries) {
    const segments = segmentsOf(path);
    const names = segments.flatMap((it) => (it.kind === "literal" ? [] : [it.name]));
    let at = root;
    let rest = false;
    for (const segment of segments) {
      if (segment.kind === "rest") rest = true;
      else at = childOf(at, segment);
    }
    const ends = (rest ? at.rest : at.ends) ?? { names, methods: new Map() };
    if (rest) at.rest = ends;
    else at.ends = ends;
    for (const method of methods) if (!ends.methods.has(method)) ends.methods.set(method, { value, names });
  }

  return (method, path) => {
    const taken: string[] = [];
    const allow = new Set<string>();
    const settle = (ends: Ends<T>): Match<T> | undefined => {
      const end = endFor(ends, method);
      if (end) return { kind: "found", value: end.value, captures: named(end.names, taken) };
      for (const name of ends.methods.keys()) allow.add(name);
      return undefined;
    };
    const walk = (here: Node<T>, start: number): Match<T> | undefined => {
      if (start > path.length) return here.ends ? settle(here.ends) : undefined;
      const slash = path.indexOf("/", start);
      const end = slash < 0 ? path.length : slash;
      const segment = path.slice(start, end);
      const literal = here.literals.get(segment);
      const found = literal && walk(literal, end + 1);
      if (found) return found;
      if (segment !== "")
        for (const { test, node: next } of here.captures) {
          if (test !== null && !test.test(segment)) continue;
          taken.push(segment);
          const deeper = walk(next, end + 1);
          if (deeper) return deeper;
          taken.pop();
        }
      if (!here.rest) return undefined;
      taken.push(path.slice(start));
      const last = settle(here.rest);
      if (!last) taken.pop();
      return last;
    };
    const found = path === "/" ? (root.ends && settle(root.ends)) || walk(root, 1) : walk(root, 1);
    if (found) return found;
    return allow.size > 0 ? { kind: "method", allow: allowed(allow) } : { kind: "none" };
  };
};

const named = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  const captures: Record<string, string> = {};
  names.forEach((name, index) => {
    captures[name] = values[index] as string;
  });
  return captures;
};

/** For the Allow header: GET brings HEAD along, and OPTIONS is always answered. */
const allowed = (methods: ReadonlySet<string>): string[] =>
  [...new Set([...methods, ...(methods.has("GET") ? ["HEAD"] : []), "OPTIONS"])].sort();
