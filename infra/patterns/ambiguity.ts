/**
 * The degree of ambiguity of an automaton: in how many ways it can read one text. A backtracking engine tries all of them, so a pattern is as
 * slow as its degree: bounded, or growing with the text.
 * Weber and Seidl, "On the degree of ambiguity of finite automata" (1991): it grows where a text leads from one state to itself, from
 * there to another, and from that one to itself.
 */
import { type Automaton, characterOf } from "./automaton.ts";

export interface Ambiguity {
  /** `single`: one way for each state. `bounded`: independent of the text's length. `unknown`: too many steps to decide. */
  readonly is: "single" | "bounded" | "growing" | "unknown";
  /** A text whose repetition makes it grow, if known. */
  readonly pump?: string;
}

/** Step limit for one automaton; takes some tenths of a second. */
const maxSteps = 300_000;

export const ambiguityOf = (automaton: Automaton): Ambiguity => {
  const budget = { left: maxSteps };
  const components = findComponents(automaton);
  if (
    automaton.next.some((all, from) =>
      [...all].some(
        ([to, ways]) => ways > 1 && components[from] === components[to] && hasCycle(automaton, components, to),
      ),
    )
  )
    return { is: "growing" };
  const pairs = reachablePairs(automaton, budget);
  if (!pairs) return { is: "unknown" };
  const hasParallelEdges = automaton.next.some((all) => [...all.values()].some((it) => it > 1));
  if (!pairs.meet && !hasParallelEdges) return { is: "single" };
  for (const [p, q] of pairs.states) {
    if (!hasCycle(automaton, components, p) || !hasCycle(automaton, components, q)) continue;
    const pump = findPump(automaton, components, p, q, budget);
    if (pump === undefined) return { is: "unknown" };
    if (pump !== "") return { is: "growing", pump };
  }
  return { is: "bounded" };
};

interface Budget {
  left: number;
}

const pairKey = (size: number, p: number, q: number): number => p * size + q;

/** Pairs of states that one text can reach, and whether two paths meet again. Undefined if the budget is exhausted. */
const reachablePairs = ({ symbols, next }: Automaton, budget: Budget) => {
  const size = symbols.length;
  const seen = new Set<number>();
  const queue: [number, number][] = next.map((_, state) => [state, state]);
  let meetsAgain = false;
  for (let at = 0; at < queue.length; at++) {
    const [p, q] = queue[at] as [number, number];
    for (const a of (next[p] as ReadonlyMap<number, number>).keys())
      for (const b of (next[q] as ReadonlyMap<number, number>).keys()) {
        if (budget.left-- <= 0) return undefined;
        if (((symbols[a] as bigint) & (symbols[b] as bigint)) === 0n) continue;
        if (a === b) meetsAgain ||= p !== q;
        else if (!seen.has(pairKey(size, a, b))) {
          seen.add(pairKey(size, a, b));
          queue.push([a, b]);
        }
      }
  }
  return { states: queue.slice(size), meet: meetsAgain };
};

/** A text that leads from p to p, p to q and q to q; empty if there is none, undefined if the budget is exhausted. */
const findPump = (
  { symbols, next }: Automaton,
  components: readonly number[],
  p: number,
  q: number,
  budget: Budget,
): string | undefined => {
  const size = symbols.length;
  const tripleKey = (x: number, y: number, z: number): number => (x * size + y) * size + z;
  const goal = tripleKey(p, q, q);
  const seen = new Set<number>();
  const queue: PumpStep[] = [{ states: [p, p, q], text: 0n, from: undefined }];
  const sameComponent = (state: number): number[] =>
    [...(next[state] as ReadonlyMap<number, number>).keys()].filter((it) => components[it] === components[state]);
  for (let at = 0; at < queue.length; at++) {
    const from = queue[at] as PumpStep;
    const [x, y, z] = from.states;
    for (const a of sameComponent(x))
      for (const c of sameComponent(z)) {
        const shared = (symbols[a] as bigint) & (symbols[c] as bigint);
        if (budget.left-- <= 0) return undefined;
        if (shared === 0n) continue;
        for (const b of (next[y] as ReadonlyMap<number, number>).keys()) {
          if (budget.left-- <= 0) return undefined;
          const text = shared & (symbols[b] as bigint);
          if (text === 0n) continue;
          const key = tripleKey(a, b, c);
          const step: PumpStep = { states: [a, b, c], text, from };
          if (key === goal) return pumpText(step);
          if (seen.has(key)) continue;
          seen.add(key);
          queue.push(step);
        }
      }
  }
  return "";
};

interface PumpStep {
  readonly states: readonly [number, number, number];
  /** The symbols that lead here. */
  readonly text: bigint;
  readonly from: PumpStep | undefined;
}

const pumpText = ({ text, from }: PumpStep): string => (from === undefined ? "" : pumpText(from) + characterOf(text));

const hasCycle = ({ next }: Automaton, components: readonly number[], state: number): boolean =>
  [...(next[state] as ReadonlyMap<number, number>).keys()].some((it) => components[it] === components[state]);

/** The strongly connected component of each state (Tarjan). */
const findComponents = ({ next }: Automaton): readonly number[] => {
  const size = next.length;
  const [index, low, components] = [
    new Array<number>(size).fill(-1),
    new Array<number>(size).fill(0),
    new Array<number>(size).fill(-1),
  ];
  const stack: number[] = [];
  let counter = 0;
  let componentCount = 0;
  for (let root = 0; root < size; root++) {
    if (index[root] !== -1) continue;
    const work: { readonly state: number; readonly rest: Iterator<number> }[] = [];
    const enter = (state: number): void => {
      index[state] = low[state] = counter++;
      stack.push(state);
      work.push({ state, rest: (next[state] as ReadonlyMap<number, number>).keys() });
    };
    enter(root);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const { state, rest } = top;
      const { value: to, done } = rest.next();
      if (!done) {
        if (index[to] === -1) enter(to);
        else if (components[to] === -1) low[state] = Math.min(low[state] as number, index[to] as number);
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.state;
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[state] as number);
      if (low[state] !== index[state]) continue;
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        components[member] = componentCount;
        if (member === state) break;
      }
      componentCount++;
    }
  }
  return components;
};
