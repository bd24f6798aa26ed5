/**
 * Whether a regular expression is quick for every text that a client can send. The outcome depends on the expression alone: what
 * decides are the sizes below and the steps of a proof, never a clock.
 */
import { ambiguityOf } from "./ambiguity.ts";
import { allSymbols, type Machine, machineOf } from "./automaton.ts";
import { isLegal, type Node, treeOf, written } from "./syntax.ts";

export type Quick =
  /** As the flag `u` has it. */
  { readonly pattern: string } | { readonly pattern: undefined; readonly why: string; readonly remedy: string };

/** In how many ways a text of bounded length can be shared: `[a-z]{1,63}[a-z0-9]{1,63}` in 3,969. */
const mostWays = 10_000;
/** Characters of an automaton. All time zones, letter by letter, are 3,000. */
const largest = 6000;
/** Where counts are written out. */
const largestCounted = 400;
/** Of a pattern. The longest that we know lists all time zones, 9,000. */
const longest = 20_000;

/** Each is decided once. */
const known = new Map<string, Quick>();
const mostKnown = 5000;

export const quick = (text: string): Quick => {
  const before = known.get(text);
  if (before) return before;
  const decided = decide(text);
  if (known.size === mostKnown) known.clear();
  known.set(text, decided);
  return decided;
};

const sharing = "let no part repeat what its neighbour can match too, and begin it with ^";
const dialect = "write it as ECMAScript reads it with the flag u";

const decide = (text: string): Quick => {
  if (text.length > longest)
    return { pattern: undefined, why: `has more than ${longest} characters`, remedy: "list the values: enum" };
  try {
    const tree = treeOf(text);
    const why = slow(tree);
    return why === undefined
      ? { pattern: isLegal(text, "u") ? text : written(tree) }
      : { pattern: undefined, why, remedy: sharing };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { pattern: undefined, why: `cannot be read: ${error.message}`, remedy: dialect };
  }
};

const unproven = "cannot be proven quick for every text";

/** Undefined for what is quick. */
const slow = (tree: Node): string | undefined => {
  if (holds(tree, "backreference")) return `${unproven}: it has a backreference`;
  const plain = withoutLooks(tree);
  if (plain === undefined) return `${unproven}: it looks ahead or behind without end, and not at its beginning`;
  for (const look of leading(tree)) if (slow(anchored(look)) !== undefined) return unproven;
  const isEndSure = !holds(tree, "boundary") && !holds(tree, "look");
  if (isBounded(plain) && ways(plain) <= mostWays) return undefined;
  if (judged(opened(plain), largest, isEndSure) === "quick") return undefined;
  const exact = isBounded(plain) ? "unknown" : judged(plain, largestCounted, isEndSure);
  if (exact === "quick") return undefined;
  return exact === "slow" ? "takes very long for some texts" : unproven;
};

/** @param isEndSure whether a match that could end does end */
const judged = (tree: Node, most: number, isEndSure: boolean): "quick" | "slow" | "unknown" => {
  const handed = factored(tree);
  const machine = machineOf(handed, most);
  if (!machine) return "unknown";
  const { is: inside } = ambiguityOf(machine);
  if (inside === "growing") return "slow";
  if (inside === "unknown" || (inside === "bounded" && ways(handed) > mostWays)) return "unknown";
  if (isAnchored(tree)) return "quick";
  const { is: outside } = ambiguityOf(searching(machine, isEndSure));
  return outside === "growing" ? "slow" : outside === "unknown" ? "unknown" : "quick";
};

/** Tried from each place of a text in turn: each turn but the last fails, so it comes by no state that a match can end with. */
const searching = ({ symbols, next, ends }: Machine, isEndSure: boolean): Machine => {
  const isOut = (state: number): boolean => isEndSure && ends.has(state);
  const kept = next.map((all, from) => new Map(isOut(from) ? [] : [...all].filter(([to]) => !isOut(to))));
  (kept[0] as Map<number, number>).set(0, 1);
  return { symbols: [allSymbols, ...symbols.slice(1)], next: kept, ends };
};

/** Whether it can match at the beginning of a text alone. */
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

const mapped = (node: Node, change: (child: Node) => Node): Node => {
  if (node.kind === "sequence") return { ...node, parts: node.parts.map(change) };
  if (node.kind === "either") return { ...node, branches: node.branches.map(change) };
  return "body" in node ? { ...node, body: change(node.body) } : node;
};

const holds = (node: Node, kind: Node["kind"]): boolean =>
  node.kind === kind || childrenOf(node).some((it) => holds(it, kind));

/** Whether what it takes has a longest text. */
const isBounded = (node: Node): boolean =>
  !(node.kind === "repeat" && node.most === Number.POSITIVE_INFINITY) &&
  (node.kind === "look" || childrenOf(node).every(isBounded));

/** Whether it can take no character. */
const isNullable = (node: Node): boolean => {
  if (node.kind === "character" || node.kind === "backreference") return node.kind === "backreference";
  if (node.kind === "repeat") return node.least === 0 || isNullable(node.body);
  if (node.kind === "either") return node.branches.some(isNullable);
  return node.kind === "look" || childrenOf(node).every(isNullable);
};

const nothing: Node = { kind: "sequence", parts: [] };

/** Looks that are tried once: behind the `^` that the whole begins with. */
const leading = (tree: Node): readonly Node[] => {
  if (tree.kind !== "sequence" || tree.parts[0]?.kind !== "boundary" || tree.parts[0].text !== "^") return [];
  const end = tree.parts.findIndex((it, index) => index > 0 && it.kind !== "look");
  const looks = tree.parts.slice(1, end === -1 ? undefined : end);
  return looks.flatMap((it) => (it.kind === "look" && !isSmall(it) ? [it] : []));
};

/** A look that never reads far wherever it is tried. */
const isSmall = (look: Node): boolean =>
  "body" in look && isBounded(look.body) && !holds(look.body, "look") && ways(look.body) * size(look.body) <= 1000;

const anchored = (look: Node): Node => {
  const body: Node = "body" in look ? { kind: "group", open: "(?:", body: look.body } : nothing;
  return { kind: "sequence", parts: [{ kind: "boundary", text: "^" }, body] };
};

/**
 * A look only takes ways away, so what is quick without it is quick with it, if the look itself is.
 * Undefined where one could read far at each of many places.
 */
const withoutLooks = (tree: Node): Node | undefined => {
  const once = new Set(leading(tree));
  let fits = true;
  const strip = (node: Node): Node => {
    if (node.kind !== "look") return mapped(node, strip);
    // One that looks behind is not read from the beginning, so it has to be small.
    if (!isSmall(node) && (!once.has(node) || node.open.startsWith("(?<"))) fits = false;
    return nothing;
  };
  const plain = strip(tree);
  return fits ? plain : undefined;
};

/**
 * Counts opened: `x{2,63}` as `x+`. Each way through the counted one is a way through the open one, so what is quick opened is
 * quick counted. Of a body that can be empty this does not hold.
 */
const opened = (node: Node): Node => {
  const inner = mapped(node, opened);
  if (inner.kind !== "repeat" || inner.most <= 1 || isNullable(inner.body)) return inner;
  return { ...inner, least: Math.min(inner.least, 1), most: Number.POSITIVE_INFINITY };
};

/** Characters with their counts written out. */
const size = (node: Node): number => {
  if (node.kind === "character") return 1;
  const inner = childrenOf(node).reduce((sum, it) => sum + size(it), 0);
  if (node.kind !== "repeat") return inner;
  return inner * Math.max(1, node.most === Number.POSITIVE_INFINITY ? node.least : node.most);
};

/** In how many ways one text can be shared among its repetitions, loops without end counted once. */
const ways = (node: Node): number => {
  if (node.kind === "either") return node.branches.reduce((sum, it) => sum + ways(it), 0);
  const inner = childrenOf(node).reduce((product, it) => product * ways(it), 1);
  if (node.kind !== "repeat") return inner;
  return node.most === Number.POSITIVE_INFINITY
    ? inner ** Math.max(1, node.least)
    : (node.most - node.least + 1) * inner ** node.most;
};

/**
 * Alternatives that are plain words become a tree of their letters: hundreds of them are then as small as what they share. Words
 * that differ are told apart either way, so the ways through are the same; of equal ones each stays.
 */
const factored = (node: Node): Node => {
  const inner = mapped(node, factored);
  if (inner.kind !== "either") return inner;
  const words = new Map<string, readonly string[]>();
  const others = inner.branches.filter((it) => {
    const word = wordOf(it);
    const key = JSON.stringify(word);
    if (word === undefined || words.has(key)) return true;
    words.set(key, word);
    return false;
  });
  if (words.size < 2) return inner;
  return { kind: "either", branches: [...others, branching([...words.values()])] };
};

/** The characters of `Africa\/Abidjan`, undefined for anything that is not one word. */
const wordOf = (node: Node): string[] | undefined => {
  const parts = node.kind === "sequence" ? node.parts : [node];
  const texts = parts.flatMap((it) =>
    it.kind === "character" && /^(?:[^[.\\]|\\[^\w])$/u.test(it.text) ? [it.text] : [],
  );
  return texts.length === parts.length ? texts : undefined;
};

const branching = (words: readonly (readonly string[])[]): Node => {
  const [last, more] = [words.filter((it) => it.length === 1), words.filter((it) => it.length !== 1)];
  // Letters that words end with become one class.
  const ends = last.map(([letter = ""]) => (letter === "-" ? "\\-" : letter)).join("");
  const end: Node[] = last.length === 0 ? [] : [{ kind: "character", text: `[${ends}]` }];
  const starts = [...Map.groupBy(more, ([first = ""]) => first)].map(([first, some]): Node => {
    if (first === "") return nothing;
    const rest = branching(some.map((it) => it.slice(1)));
    const grouped: Node = rest.kind === "either" ? { kind: "group", open: "(?:", body: rest } : rest;
    return { kind: "sequence", parts: [{ kind: "character", text: first }, grouped] };
  });
  const branches = [...starts, ...end];
  return branches.length === 1 ? (branches[0] as Node) : { kind: "either", branches };
};
