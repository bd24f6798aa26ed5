/** Builds the Glushkov automaton of a regular expression, with the multiplicity of each transition. */
import { type Node, toPattern } from "./syntax.ts";

export interface Automaton {
  /** The symbols that each state accepts. State 0 is the start. */
  readonly symbols: readonly bigint[];
  /** Transitions with multiplicity: 1, or 2 for more. */
  readonly next: readonly ReadonlyMap<number, number>[];
  /** Accepting states. */
  readonly finals: ReadonlySet<number>;
}

/**
 * ASCII, and two symbols beyond it: white space and everything else. `\d`, `\w` and `\s` treat each group alike; a class
 * that names characters beyond ASCII is taken to take all of them.
 */
export const allSymbols = (1n << 130n) - 1n;
const representatives = [...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)), "\u00a0", "\u00e9"];

const symbolsOf = (text: string): bigint => {
  const pattern = new RegExp(`^${text}$`, "su");
  const hasNonAscii = /[^ -~]|\\[pPuxc]/.test(text);
  return representatives.reduce(
    (set, it, index) => ((hasNonAscii && index >= 128) || pattern.test(it) ? set | (1n << BigInt(index)) : set),
    0n,
  );
};

/** A character that stands for a set of symbols. */
export const characterOf = (symbols: bigint): string =>
  representatives.find((_, index) => (symbols >> BigInt(index)) & 1n) ?? "";

interface Fragment {
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
  /** The number of ways to match the empty text. */
  readonly empty: number;
}

/** Work limit for one automaton. A list of all time zones needs a tenth of it. */
const maxWork = 1_000_000;

/** Caps a multiplicity at 2. */
const cap = (count: number): number => Math.min(count, 2);

const sum = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>, times = 1): Map<number, number> => {
  const result = new Map(a);
  if (times > 0) for (const [state, count] of b) result.set(state, cap((result.get(state) ?? 0) + count * times));
  return result;
};

/**
 * Boundaries are ignored, which only adds ways.
 * @param maxStates characters, counts written out
 * @returns undefined if it has more, or exceeds the work limit
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: its functions extend one automaton, and stop at one budget
export const buildAutomaton = (tree: Node, maxStates: number): Automaton | undefined => {
  const symbols = [0n];
  const next: Map<number, number>[] = [new Map()];
  const known = new Map<string, bigint>();
  let isFull = false;
  let remaining = maxWork;

  const useBudget = (work: number): void => {
    remaining -= 10 + work;
    isFull ||= remaining < 0;
  };

  const connect = (from: ReadonlyMap<number, number>, to: ReadonlyMap<number, number>): void => {
    for (const [state, count] of from) {
      const before = next[state] ?? new Map();
      useBudget(before.size + to.size);
      if (isFull) return;
      next[state] = sum(before, to, count);
    }
  };

  const character = (text: string): Fragment => {
    const set = known.get(text) ?? symbolsOf(text);
    known.set(text, set);
    isFull ||= symbols.length > maxStates;
    const state = symbols.push(set) - 1;
    next.push(new Map());
    return { first: new Map([[state, 1]]), last: new Map([[state, 1]]), empty: 0 };
  };

  const emptyFragment: Fragment = { first: new Map(), last: new Map(), empty: 1 };

  const concatenate = (a: Fragment, b: Fragment): Fragment => {
    useBudget(a.first.size + b.first.size + a.last.size + b.last.size);
    if (isFull) return emptyFragment;
    connect(a.last, b.first);
    return {
      first: sum(a.first, b.first, a.empty),
      last: sum(b.last, a.last, b.empty),
      empty: cap(a.empty * b.empty),
    };
  };

  const alternate = (a: Fragment, b: Fragment): Fragment => {
    useBudget(a.first.size + a.last.size);
    if (isFull) return emptyFragment;
    return { first: sum(a.first, b.first), last: sum(a.last, b.last), empty: cap(a.empty + b.empty) };
  };

  const repeat = (node: Extract<Node, { readonly kind: "repeat" }>): Fragment => {
    const { body, least, most: limit } = node;
    const isEndless = limit === Number.POSITIVE_INFINITY;
    const copies = isEndless ? Math.max(1, least) : limit;
    let result = emptyFragment;
    for (let copy = 1; copy <= copies && !isFull; copy++) {
      const one = build(body);
      if (isEndless && copy === copies) connect(one.last, one.first);
      const isOptional = copy > least;
      result = concatenate(result, isOptional ? { ...one, empty: isEndless ? 1 : cap(one.empty + 1) } : one);
    }
    return result;
  };

  const build = (node: Node): Fragment => {
    if (isFull) return emptyFragment;
    switch (node.kind) {
      case "character":
        return character(node.text);
      case "sequence":
        return node.parts.reduce<Fragment>((whole, it) => concatenate(whole, build(it)), emptyFragment);
      case "either":
        return node.branches.map(build).reduce(alternate);
      case "group":
        return build(node.body);
      case "repeat":
        return repeat(node);
      case "boundary":
        return emptyFragment;
      default:
        throw new TypeError(`no automaton has ${toPattern(node)}`);
    }
  };

  const whole = build(tree);
  if (isFull) return undefined;
  next[0] = new Map(whole.first);
  return { symbols, next, finals: new Set([...whole.last.keys(), ...(whole.empty > 0 ? [0] : [])]) };
};
