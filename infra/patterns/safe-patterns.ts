/**
 * Decides whether a regular expression runs in linear time for every input (no ReDoS). The result depends on the expression only:
 * sizes and proof steps decide, never a clock.
 */
import { ambiguityOf } from "./ambiguity.ts";
import { type Automaton, allSymbols, buildAutomaton } from "./automaton.ts";
import { isValid, type Node, parsePattern, toPattern } from "./syntax.ts";

export type SafePattern =
  /** The pattern in the syntax of the flag `u`. */
  { readonly pattern: string } | { readonly pattern: undefined; readonly why: string; readonly remedy: string };

/** Limit of ways to split a bounded text: `[a-z]{1,63}[a-z0-9]{1,63}` has 3,969. */
const maxWays = 10_000;
/** Maximum states of an automaton. A list of all time zones needs 3,000. */
const maxStates = 6000;
/** Maximum states with expanded counts. */
const maxExpandedStates = 400;
/** Maximum length of a pattern. The longest known one lists all time zones, 9,000. */
const maxLength = 20_000;

/** Cached results. */
const cache = new Map<string, SafePattern>();
const maxCached = 5000;

export const checkPattern = (text: string): SafePattern => {
  const cached = cache.get(text);
  if (cached) return cached;
  const result = decidePattern(text);
  if (cache.size === maxCached) cache.clear();
  cache.set(text, result);
  return result;
};

const sharingRemedy = "let no part repeat what its neighbour can match too, and begin it with ^";
const dialectRemedy = "write it as ECMAScript reads it with the flag u";

const decidePattern = (text: string): SafePattern => {
  if (text.length > maxLength)
    return { pattern: undefined, why: `has more than ${maxLength} characters`, remedy: "list the values: enum" };
  try {
    const tree = parsePattern(text);
    const why = slowReason(tree);
    return why === undefined
      ? { pattern: isValid(text, "u") ? text : toPattern(tree) }
      : { pattern: undefined, why, remedy: sharingRemedy };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { pattern: undefined, why: `cannot be read: ${error.message}`, remedy: dialectRemedy };
  }
};

const unprovenMessage = "cannot be proven quick for every text";

/** Why a pattern is slow; undefined if it is safe. */
const slowReason = (tree: Node): string | undefined => {
  if (containsKind(tree, "backreference")) return `${unprovenMessage}: it has a backreference`;
  const withoutLookaroundTree = withoutLookarounds(tree);
  if (withoutLookaroundTree === undefined)
    return `${unprovenMessage}: it looks ahead or behind without end, and not at its beginning`;
  for (const lookaround of leadingLookarounds(tree))
    if (slowReason(anchoredBody(lookaround)) !== undefined) return unprovenMessage;
  const isEndSure = !containsKind(tree, "boundary") && !containsKind(tree, "look");
  if (isBounded(withoutLookaroundTree) && ways(withoutLookaroundTree) <= maxWays) return undefined;
  if (analyse(withOpenCounts(withoutLookaroundTree), maxStates, isEndSure) === "quick") return undefined;
  const expandedResult = isBounded(withoutLookaroundTree)
    ? "unknown"
    : analyse(withoutLookaroundTree, maxExpandedStates, isEndSure);
  if (expandedResult === "quick") return undefined;
  return expandedResult === "slow" ? "takes very long for some texts" : unprovenMessage;
};

/** @param isEndSure whether the engine stops at the first possible end of a match */
const analyse = (tree: Node, stateLimit: number, isEndSure: boolean): "quick" | "slow" | "unknown" => {
  const simplified = factorWords(tree);
  const automaton = buildAutomaton(simplified, stateLimit);
  if (!automaton) return "unknown";
  const { is: inside } = ambiguityOf(automaton);
  if (inside === "growing") return "slow";
  if (inside === "unknown" || (inside === "bounded" && ways(simplified) > maxWays)) return "unknown";
  if (isAnchored(tree)) return "quick";
  const { is: outside } = ambiguityOf(unanchored(automaton, isEndSure));
  return outside === "growing" ? "slow" : outside === "unknown" ? "unknown" : "quick";
};

/** The automaton of an unanchored search: failed attempts from earlier positions visit no accepting state. */
const unanchored = ({ symbols, next, finals }: Automaton, isEndSure: boolean): Automaton => {
  const isFinal = (state: number): boolean => isEndSure && finals.has(state);
  const edges = next.map((all, from) => new Map(isFinal(from) ? [] : [...all].filter(([to]) => !isFinal(to))));
  (edges[0] as Map<number, number>).set(0, 1);
  return { symbols: [allSymbols, ...symbols.slice(1)], next: edges, finals };
};

/** Whether it can match at the beginning of a text only. */
const isAnchored = (node: Node): boolean => {
  if (node.kind === "boundary") return node.text === "^";
  if (node.kind === "group") return isAnchored(node.body);
  if (node.kind === "either") return node.branches.every(isAnchored);
  const first = node.kind === "sequence" ? node.parts.find((it) => it !== nothing) : undefined;
  return first !== undefined && isAnchored(first);
};

const childrenOf = (node: Node): readonly Node[] => {
  if (node.kind === "sequence") return node.parts;
  if (node.kind === "either") return node.branches;
  return "body" in node ? [node.body] : [];
};

const mapChildren = (node: Node, change: (child: Node) => Node): Node => {
  if (node.kind === "sequence") return { ...node, parts: node.parts.map(change) };
  if (node.kind === "either") return { ...node, branches: node.branches.map(change) };
  return "body" in node ? { ...node, body: change(node.body) } : node;
};

const containsKind = (node: Node, kind: Node["kind"]): boolean =>
  node.kind === kind || childrenOf(node).some((it) => containsKind(it, kind));

/** Whether its matches have a maximum length. */
const isBounded = (node: Node): boolean =>
  !(node.kind === "repeat" && node.most === Number.POSITIVE_INFINITY) &&
  (node.kind === "look" || childrenOf(node).every(isBounded));

/** Whether it can match the empty text. */
const isNullable = (node: Node): boolean => {
  if (node.kind === "character" || node.kind === "backreference") return node.kind === "backreference";
  if (node.kind === "repeat") return node.least === 0 || isNullable(node.body);
  if (node.kind === "either") return node.branches.some(isNullable);
  return node.kind === "look" || childrenOf(node).every(isNullable);
};

const nothing: Node = { kind: "sequence", parts: [] };

/** Lookarounds directly after the leading `^`, which run once. */
const leadingLookarounds = (tree: Node): readonly Node[] => {
  if (tree.kind !== "sequence" || tree.parts[0]?.kind !== "boundary" || tree.parts[0].text !== "^") return [];
  const end = tree.parts.findIndex((it, index) => index > 0 && it.kind !== "look");
  const lookarounds = tree.parts.slice(1, end === -1 ? undefined : end);
  return lookarounds.flatMap((it) => (it.kind === "look" && !isSmallLookaround(it) ? [it] : []));
};

/** Whether a lookaround reads only a bounded number of characters. */
const isSmallLookaround = (lookaround: Node): boolean =>
  "body" in lookaround &&
  isBounded(lookaround.body) &&
  !containsKind(lookaround.body, "look") &&
  ways(lookaround.body) * size(lookaround.body) <= 1000;

const anchoredBody = (lookaround: Node): Node => {
  const body: Node = "body" in lookaround ? { kind: "group", open: "(?:", body: lookaround.body } : nothing;
  return { kind: "sequence", parts: [{ kind: "boundary", text: "^" }, body] };
};

/**
 * A lookaround only removes ways, so a pattern that is safe without it is safe with it, if the lookaround itself is.
 * Undefined if a lookaround could read far at many positions.
 */
const withoutLookarounds = (tree: Node): Node | undefined => {
  const leadingSet = new Set(leadingLookarounds(tree));
  let areAllSmall = true;
  const strip = (node: Node): Node => {
    if (node.kind !== "look") return mapChildren(node, strip);
    // A lookbehind does not start at the beginning, so it has to be small.
    if (!isSmallLookaround(node) && (!leadingSet.has(node) || node.open.startsWith("(?<"))) areAllSmall = false;
    return nothing;
  };
  const withoutLookaroundTree = strip(tree);
  return areAllSmall ? withoutLookaroundTree : undefined;
};

/**
 * Replaces counts: `x{2,63}` by `x+`. Each way through the counted pattern is a way through the open one, so what is safe open is
 * safe counted. This does not apply to a body that can be empty.
 */
const withOpenCounts = (node: Node): Node => {
  const inner = mapChildren(node, withOpenCounts);
  if (inner.kind !== "repeat" || inner.most <= 1 || isNullable(inner.body)) return inner;
  return { ...inner, least: Math.min(inner.least, 1), most: Number.POSITIVE_INFINITY };
};

/** The number of characters with counts expanded. */
const size = (node: Node): number => {
  if (node.kind === "character") return 1;
  const inner = childrenOf(node).reduce((sum, it) => sum + size(it), 0);
  if (node.kind !== "repeat") return inner;
  return inner * Math.max(1, node.most === Number.POSITIVE_INFINITY ? node.least : node.most);
};

/** The number of ways to split a text among its repetitions; unbounded loops count once. */
const ways = (node: Node): number => {
  if (node.kind === "either") return node.branches.reduce((sum, it) => sum + ways(it), 0);
  const inner = childrenOf(node).reduce((product, it) => product * ways(it), 1);
  if (node.kind !== "repeat") return inner;
  return node.most === Number.POSITIVE_INFINITY
    ? inner ** Math.max(1, node.least)
    : (node.most - node.least + 1) * inner ** node.most;
};

/**
 * Turns alternatives of literal words into a prefix tree, so that hundreds of them stay small. Words
 * that differ are distinguished either way, so the number of ways is the same; equal ones all stay.
 */
const factorWords = (node: Node): Node => {
  const inner = mapChildren(node, factorWords);
  if (inner.kind !== "either") return inner;
  const words = new Map<string, readonly string[]>();
  const others = inner.branches.filter((it) => {
    const word = literalWord(it);
    const key = JSON.stringify(word);
    if (word === undefined || words.has(key)) return true;
    words.set(key, word);
    return false;
  });
  if (words.size < 2) return inner;
  return { kind: "either", branches: [...others, wordTree([...words.values()])] };
};

/** The characters of `Africa\/Abidjan`, undefined for anything that is not one word. */
const literalWord = (node: Node): string[] | undefined => {
  const parts = node.kind === "sequence" ? node.parts : [node];
  const texts = parts.flatMap((it) =>
    it.kind === "character" && /^(?:[^[.\\]|\\[^\w])$/u.test(it.text) ? [it.text] : [],
  );
  return texts.length === parts.length ? texts : undefined;
};

const wordTree = (words: readonly (readonly string[])[]): Node => {
  const [last, more] = [words.filter((it) => it.length === 1), words.filter((it) => it.length !== 1)];
  // Letters that words end with become one class.
  const finalStates = last.map(([letter = ""]) => (letter === "-" ? "\\-" : letter)).join("");
  const end: Node[] = last.length === 0 ? [] : [{ kind: "character", text: `[${finalStates}]` }];
  const starts = [...Map.groupBy(more, ([first = ""]) => first)].map(([first, some]): Node => {
    if (first === "") return nothing;
    const rest = wordTree(some.map((it) => it.slice(1)));
    const grouped: Node = rest.kind === "either" ? { kind: "group", open: "(?:", body: rest } : rest;
    return { kind: "sequence", parts: [{ kind: "character", text: first }, grouped] };
  });
  const branches = [...starts, ...end];
  return branches.length === 1 ? (branches[0] as Node) : { kind: "either", branches };
};
