/**
 * In how many ways an automaton can read one text. A backtracking engine tries each of them before it gives up, so a pattern is as
 * slow as there are ways: bounded, or growing with the text.
 * Weber and Seidl, "On the degree of ambiguity of finite automata" (1991): it grows where a text leads from one state to itself, from
 * there to another, and from that one to itself.
 */
import { characterOf, type Machine } from "./automaton.ts";

export interface Ambiguity {
  /** `single`: one for each state. `bounded`: not longer with the text. `unknown`: it would take too many steps to say. */
  readonly is: "single" | "bounded" | "growing" | "unknown";
  /** A text that makes it grow when it is repeated, where it is known. */
  readonly pump?: string;
}

/** Of one automaton: some tenths of a second. */
const mostSteps = 300_000;

export const ambiguityOf = (machine: Machine): Ambiguity => {
  const budget = { left: mostSteps };
  const circle = circlesOf(machine);
  if (
    machine.next.some((all, from) =>
      [...all].some(([to, ways]) => ways > 1 && circle[from] === circle[to] && isRound(machine, circle, to)),
    )
  )
    return { is: "growing" };
  const pairs = apart(machine, budget);
  if (!pairs) return { is: "unknown" };
  const isMany = machine.next.some((all) => [...all.values()].some((it) => it > 1));
  if (!pairs.meet && !isMany) return { is: "single" };
  for (const [p, q] of pairs.states) {
    if (!isRound(machine, circle, p) || !isRound(machine, circle, q)) continue;
    const pump = leads(machine, circle, p, q, budget);
    if (pump === undefined) return { is: "unknown" };
    if (pump !== "") return { is: "growing", pump };
  }
  return { is: "bounded" };
};

interface Budget {
  left: number;
}

const pairKey = (size: number, p: number, q: number): number => p * size + q;

/** States that one text can lead to both of, and whether two of them meet in one again. Undefined where it takes too many steps. */
const apart = ({ symbols, next }: Machine, budget: Budget) => {
  const size = symbols.length;
  const seen = new Set<number>();
  const queue: [number, number][] = next.map((_, state) => [state, state]);
  let meet = false;
  for (let at = 0; at < queue.length; at++) {
    const [p, q] = queue[at] as [number, number];
    for (const a of (next[p] as ReadonlyMap<number, number>).keys())
      for (const b of (next[q] as ReadonlyMap<number, number>).keys()) {
        if (budget.left-- <= 0) return undefined;
        if (((symbols[a] as bigint) & (symbols[b] as bigint)) === 0n) continue;
        if (a === b) meet ||= p !== q;
        else if (!seen.has(pairKey(size, a, b))) {
          seen.add(pairKey(size, a, b));
          queue.push([a, b]);
        }
      }
  }
  return { states: queue.slice(size), meet };
};

/** A text that leads from p to p, from p to q, and from q to q; empty where there is none, undefined where it takes too many steps. */
const leads = (
  { symbols, next }: Machine,
  circle: readonly number[],
  p: number,
  q: number,
  budget: Budget,
): string | undefined => {
  const size = symbols.length;
  const keyOf = (x: number, y: number, z: number): number => (x * size + y) * size + z;
  const goal = keyOf(p, q, q);
  const seen = new Set<number>();
  const queue: Step[] = [{ states: [p, p, q], text: 0n, from: undefined }];
  const around = (state: number): number[] =>
    [...(next[state] as ReadonlyMap<number, number>).keys()].filter((it) => circle[it] === circle[state]);
  for (let at = 0; at < queue.length; at++) {
    const from = queue[at] as Step;
    const [x, y, z] = from.states;
    for (const a of around(x))
      for (const c of around(z)) {
        const shared = (symbols[a] as bigint) & (symbols[c] as bigint);
        if (budget.left-- <= 0) return undefined;
        if (shared === 0n) continue;
        for (const b of (next[y] as ReadonlyMap<number, number>).keys()) {
          if (budget.left-- <= 0) return undefined;
          const text = shared & (symbols[b] as bigint);
          if (text === 0n) continue;
          const key = keyOf(a, b, c);
          const step: Step = { states: [a, b, c], text, from };
          if (key === goal) return textOf(step);
          if (seen.has(key)) continue;
          seen.add(key);
          queue.push(step);
        }
      }
  }
  return "";
};

interface Step {
  readonly states: readonly [number, number, number];
  /** The symbols that lead here. */
  readonly text: bigint;
  readonly from: Step | undefined;
}

const textOf = ({ text, from }: Step): string => (from === undefined ? "" : textOf(from) + characterOf(text));

const isRound = ({ next }: Machine, circle: readonly number[], state: number): boolean =>
  [...(next[state] as ReadonlyMap<number, number>).keys()].some((it) => circle[it] === circle[state]);

/** Of each state, which circle of states it is in (Tarjan). */
const circlesOf = ({ next }: Machine): readonly number[] => {
  const size = next.length;
  const [index, low, circle] = [
    new Array<number>(size).fill(-1),
    new Array<number>(size).fill(0),
    new Array<number>(size).fill(-1),
  ];
  const open: number[] = [];
  let counter = 0;
  let circles = 0;
  for (let root = 0; root < size; root++) {
    if (index[root] !== -1) continue;
    const work: { readonly state: number; readonly rest: Iterator<number> }[] = [];
    const enter = (state: number): void => {
      index[state] = low[state] = counter++;
      open.push(state);
      work.push({ state, rest: (next[state] as ReadonlyMap<number, number>).keys() });
    };
    enter(root);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const { state, rest } = top;
      const { value: to, done } = rest.next();
      if (!done) {
        if (index[to] === -1) enter(to);
        else if (circle[to] === -1) low[state] = Math.min(low[state] as number, index[to] as number);
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.state;
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[state] as number);
      if (low[state] !== index[state]) continue;
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        circle[member] = circles;
        if (member === state) break;
      }
      circles++;
    }
  }
  return circle;
};
