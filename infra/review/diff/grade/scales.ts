/** Which of two values protects less. Each scale knows one way in which values are ordered; undefined is a key that is left out. */
import { isDeepStrictEqual } from "node:util";
import ipaddr from "ipaddr.js";
import { bytes, milliseconds } from "../../../../functions/gateway/core/quantities.ts";

/** What the second value is, compared with the first. */
export type Verdict = "weaker" | "stronger" | "other";
export interface Scale {
  (before: unknown, after: unknown): Verdict;
  /** How many times as much the second lets through, in words that follow the number; only of what is counted or measured. */
  readonly times?: (before: unknown, after: unknown) => Times | undefined;
}

export interface Times {
  /** Infinity where nothing bounds it any more. */
  readonly factor: number;
  /** Of what: `as many`, `as long`. */
  readonly as: "as many" | "as long" | "as much";
  /** Both in one unit, where they are written in two: `6000/m`, `100000/m`. */
  readonly alike?: readonly [before: string, after: string];
}

const compared = (before: number, after: number, more: Verdict): Verdict => {
  if (before === after) return "other";
  return after > before === (more === "weaker") ? "weaker" : "stronger";
};

const quantity = (value: unknown, read: (text: string) => number, absent: number): number =>
  value === undefined ? absent : typeof value === "number" ? value : read(String(value));

const isCount = (value: unknown): boolean => typeof value === "number";

/** A quantity of which more lets more through. */
const measured = (read: (text: string) => number, absent: number, as: Times["as"]): Scale => {
  const of = (value: unknown): number => quantity(value, read, absent);
  return Object.assign((before: unknown, after: unknown) => compared(of(before), of(after), "weaker"), {
    times: (before: unknown, after: unknown): Times | undefined =>
      of(before) === 0
        ? undefined
        : { factor: of(after) / of(before), as: [before, after].some(isCount) ? "as many" : as },
  });
};

const sizeOf = (text: string): number => (text.endsWith("B") ? bytes(text) : Number(text));

/** A longer time lets more through. @param absent milliseconds where none is written */
export const longerThan = (absent: number): Scale => measured(milliseconds, absent, "as long");

/** A larger size or number lets more through. @param absent where none is written */
export const largerThan = (absent: number): Scale => measured(sizeOf, absent, "as much");

/** None at all is endless. */
export const longer = longerThan(Infinity);

/** None at all is boundless. */
export const larger = largerThan(Infinity);

/** A larger share of requests: `10%`. */
export const shares = measured(Number.parseFloat, 100, "as many");

const itemsOf = (value: unknown): string[] =>
  [value].flat().map((it) => (typeof it === "string" ? it : JSON.stringify(it)));

/** A set of whom or what is let through: one more is weaker. */
export const allowing =
  (absent: "everything" | "nothing"): Scale =>
  (before, after) => {
    if (before === undefined || after === undefined) {
      const gone = after === undefined;
      return gone === (absent === "everything") ? "weaker" : "stronger";
    }
    const [a, b] = [itemsOf(before), itemsOf(after)];
    if (b.some((it) => !a.includes(it))) return "weaker";
    return a.some((it) => !b.includes(it)) ? "stronger" : "other";
  };

/** A set of what has to hold, or of what is kept out: one fewer is weaker. */
export const demanding: Scale = (before, after) => {
  const [a, b] = [itemsOf(before ?? []), itemsOf(after ?? [])];
  if (a.some((it) => !b.includes(it))) return "weaker";
  return b.some((it) => !a.includes(it)) ? "stronger" : "other";
};

/** Ranges of addresses that are let in, or kept out: what counts is which addresses they cover, and not how they are written. */
export const ranges =
  (of: "allowed" | "denied"): Scale =>
  (before, after) => {
    // Without a list everybody gets in, and nobody is kept out.
    if (after === undefined) return "weaker";
    if (before === undefined) return "stronger";
    const [a, b] = [itemsOf(before).map(rangeOf), itemsOf(after).map(rangeOf)];
    const covers = (wide: readonly Cidr[], narrow: readonly Cidr[]): boolean =>
      narrow.every((it) => wide.some((other) => within(it, other)));
    const [more, fewer] = [!covers(a, b), !covers(b, a)];
    if (!more && !fewer) return "other";
    return (of === "allowed" ? more : fewer) ? "weaker" : "stronger";
  };

type Cidr = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const rangeOf = (text: string): Cidr => {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
};

const within = ([address, bits]: Cidr, [other, otherBits]: Cidr): boolean =>
  bits >= otherBits && address.kind() === other.kind() && address.match(other as never, otherBits);

/** A map of demands, each of which has one value or several that fit. */
export const demands: Scale = (before, after) => {
  const [a, b] = [Object.entries(before ?? {}), Object.entries(after ?? {})].map((it) => new Map<string, unknown>(it));
  const all = [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])];
  const verdicts = all.map((key): Verdict => {
    const [x, y] = [a?.get(key), b?.get(key)];
    return isDeepStrictEqual(x, y) ? "other" : allowing("everything")(x, y);
  });
  return verdicts.includes("weaker") ? "weaker" : verdicts.includes("stronger") ? "stronger" : "other";
};

/** A map of what is let through, by name. */
export const admitted: Scale = (before, after) => {
  const [a, b] = [Object.keys(before ?? {}), Object.keys(after ?? {})];
  if (b.some((it) => !a.includes(it))) return "weaker";
  return a.some((it) => !b.includes(it)) ? "stronger" : "other";
};

/** Words from the weakest to the strongest. */
export const ranked =
  (...words: readonly unknown[]): Scale =>
  (before, after) =>
    compared(words.indexOf(before), words.indexOf(after), "stronger");

/** Protects by being there. */
export const present: Scale = (before, after) =>
  after === undefined ? "weaker" : before === undefined ? "stronger" : "other";

/** A header of protection: `false` is none. */
export const header: Scale = (before, after) => (after === false ? "weaker" : before === false ? "stronger" : "other");

/** The opposite of another one: a longer time protects more. */
export const opposite =
  (scale: Scale): Scale =>
  (before, after) =>
    ({ weaker: "stronger", stronger: "weaker", other: "other" })[scale(before, after)] as Verdict;

/** A map of bounds, each by itself: `+0.5pp`, `20%`, `800ms`. One that is missing bounds nothing. */
export const bounds: Scale = (before, after) => {
  const [a, b] = [before ?? {}, after ?? {}] as Record<string, unknown>[];
  const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
  const verdicts = keys.map((key) =>
    compared(quantity(a?.[key], boundOf, Infinity), quantity(b?.[key], boundOf, Infinity), "weaker"),
  );
  return verdicts.includes("weaker") ? "weaker" : verdicts.includes("stronger") ? "stronger" : "other";
};

const boundOf = (text: string): number => (/(?:ms|[smhd])$/.test(text) ? milliseconds(text) : Number.parseFloat(text));

/** More looks on the way see more. */
export const steps: Scale = (before, after) =>
  compared(itemsOf(before ?? []).length, itemsOf(after ?? []).length, "stronger");
