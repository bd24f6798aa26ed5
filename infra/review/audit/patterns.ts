/**
 * What a pattern can be made to cost. The language of patterns takes none that could run for ever; what is left is one
 * part without end beside one that may be long, which tries each character as often as the long one is.
 */
import { createRequire } from "node:module";
import { atom } from "../../../functions/gateway/patterns.ts";

export interface Weight {
  /** How often a character can be tried. */
  readonly tries: number;
  /** A text that makes it so when it is repeated; undefined where neither that nor the contrary could be proven. */
  readonly pump: string | undefined;
}

/** Undefined where each character is tried a few times at most. */
export type Weigh = (pattern: string) => Weight | undefined;

/** How many patterns are proven in one run: each takes a tenth of a second, and a second at most. */
const mostProofs = 30;

/** Each pattern is weighed once. */
export const weighing = (): Weigh => {
  const known = new Map<string, Weight | undefined>();
  let proofs = 0;
  return (pattern) => {
    if (known.has(pattern)) return known.get(pattern);
    const { tries, opened } = spread(pattern);
    const weight =
      tries < fewest ? undefined : proofs++ < mostProofs ? proven(opened, tries) : { tries, pump: undefined };
    known.set(pattern, weight);
    return weight;
  };
};

/** Nobody notices less. */
const fewest = 8;

/**
 * The pattern with its longest bounded part opened, since to who sends few characters `{0,99}` is as good as `*`; counts
 * that stay the same are cut short, which changes nothing about how the parts share a text.
 */
const spread = (pattern: string): { readonly tries: number; readonly opened: string } => {
  let tries = 0;
  let endless = false;
  const opened = [...pattern.matchAll(new RegExp(atom.source, "g"))].map(([whole, quantifier = ""]) => {
    const one = whole.slice(0, whole.length - quantifier.length);
    endless ||= quantifier === "+" || quantifier === "*";
    const [, least, most = least] = /^\{(\d+)(?:,(\d+))?\}$/.exec(quantifier) ?? [];
    if (least === undefined) return whole;
    const from = Math.min(Number(least), 4);
    const room = Number(most) - Number(least);
    if (room < fewest) return `${one}{${from},${from + room}}`;
    tries = Math.max(tries, room + 1);
    return `${one}{${from},}`;
  });
  return { tries: endless ? tries : 0, opened: opened.join("") };
};

const proven = (opened: string, tries: number): Weight | undefined => {
  const verdict = judged(opened);
  if (verdict.status === "safe") return undefined;
  return { tries, pump: verdict.status === "vulnerable" ? verdict.attack.pumps[0]?.pump : undefined };
};

/** What the checker proves of a pattern by its automaton, within a second: its build in plain JavaScript, loaded where it is needed. */
export const judged = (pattern: string) => {
  const { checkSync } = createRequire(import.meta.url)("recheck/lib/browser.js") as typeof import("recheck");
  return checkSync(`^(?:${pattern})$`, "", { checker: "automaton", timeout: 1000 });
};
