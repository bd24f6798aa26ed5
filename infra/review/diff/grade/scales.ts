/** Scales say which of two values protects less. Each scale is one ordering of values; undefined is a missing key. */
import { isDeepStrictEqual } from "node:util";
import ipaddr from "ipaddr.js";
import { watchOf } from "../../../../functions/control/model/release.ts";
import type { ReleaseConfig } from "../../../../functions/control/model/release-config.ts";
import { bytes, milliseconds } from "../../../../functions/gateway/core/quantities.ts";

/** The second value compared with the first. */
export type ScaleResult = "weaker" | "stronger" | "other";
export interface Scale {
  (before: unknown, after: unknown): ScaleResult;
  /** The factor by which the second value allows more; only for numeric values. */
  readonly factor?: (before: unknown, after: unknown) => Factor | undefined;
}

export interface Factor {
  /** Infinity if it becomes unlimited. */
  readonly factor: number;
  /** The words after the number. */
  readonly as: "as many" | "as long" | "as much";
  /** Both values in one unit, if they are written in different ones: `6000/m`, `100000/m`. */
  readonly inSameUnit?: readonly [before: string, after: string];
}

const compareNumbers = (before: number, after: number, more: ScaleResult): ScaleResult => {
  if (before === after) return "other";
  return after > before === (more === "weaker") ? "weaker" : "stronger";
};

const toNumber = (value: unknown, read: (text: string) => number, absent: number): number =>
  value === undefined ? absent : typeof value === "number" ? value : read(String(value));

const isCount = (value: unknown): boolean => typeof value === "number";

/** A scale of a quantity: more is weaker. */
const measuredScale = (read: (text: string) => number, absent: number, as: Factor["as"]): Scale => {
  const quantityOf = (value: unknown): number => toNumber(value, read, absent);
  return Object.assign(
    (before: unknown, after: unknown) => compareNumbers(quantityOf(before), quantityOf(after), "weaker"),
    {
      factor: (before: unknown, after: unknown): Factor | undefined =>
        quantityOf(before) === 0
          ? undefined
          : { factor: quantityOf(after) / quantityOf(before), as: [before, after].some(isCount) ? "as many" : as },
    },
  );
};

const parseSize = (text: string): number => (text.endsWith("B") ? bytes(text) : Number(text));

/** A longer time is weaker. @param absent default in milliseconds */
export const longerIsWeaker = (absent: number): Scale => measuredScale(milliseconds, absent, "as long");

/** A larger size or number is weaker. @param absent default */
export const largerIsWeaker = (absent: number): Scale => measuredScale(parseSize, absent, "as much");

/** A missing time is unlimited. */
export const unboundedTime = longerIsWeaker(Infinity);

/** A missing size is unlimited. */
export const unboundedSize = largerIsWeaker(Infinity);

/** A larger share is weaker: `10%`. */
export const shareScale = measuredScale(Number.parseFloat, 100, "as many");

const toItems = (value: unknown): string[] =>
  [value].flat().map((it) => (typeof it === "string" ? it : JSON.stringify(it)));

/** A set of allowed items: an additional one is weaker. */
export const allowList =
  (absent: "everything" | "nothing"): Scale =>
  (before, after) => {
    if (before === undefined || after === undefined) {
      const isRemoved = after === undefined;
      return isRemoved === (absent === "everything") ? "weaker" : "stronger";
    }
    const [a, b] = [toItems(before), toItems(after)];
    if (b.some((it) => !a.includes(it))) return "weaker";
    return a.some((it) => !b.includes(it)) ? "stronger" : "other";
  };

/** A set of required or denied items: a missing one is weaker. */
export const requiredList: Scale = (before, after) => {
  const [a, b] = [toItems(before ?? []), toItems(after ?? [])];
  if (a.some((it) => !b.includes(it))) return "weaker";
  return b.some((it) => !a.includes(it)) ? "stronger" : "other";
};

/** Allowed or denied address ranges, compared by the addresses that they cover. */
export const addressRanges =
  (which: "allowed" | "denied"): Scale =>
  (before, after) => {
    // Without a list, every address is allowed.
    if (after === undefined) return "weaker";
    if (before === undefined) return "stronger";
    const [a, b] = [toItems(before).map(parseRange), toItems(after).map(parseRange)];
    const covers = (wide: readonly Cidr[], narrow: readonly Cidr[]): boolean =>
      narrow.every((it) => wide.some((other) => isWithin(it, other)));
    const [more, fewer] = [!covers(a, b), !covers(b, a)];
    if (!more && !fewer) return "other";
    return (which === "allowed" ? more : fewer) ? "weaker" : "stronger";
  };

type Cidr = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const parseRange = (text: string): Cidr => {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
};

const isWithin = ([address, bits]: Cidr, [other, otherBits]: Cidr): boolean =>
  bits >= otherBits && address.kind() === other.kind() && address.match(other as never, otherBits);

/** A map of requirements, each with one or several accepted values. */
export const requiredMap: Scale = (before, after) => {
  const [a, b] = [Object.entries(before ?? {}), Object.entries(after ?? {})].map((it) => new Map<string, unknown>(it));
  const all = [...new Set([...(a?.keys() ?? []), ...(b?.keys() ?? [])])];
  const verdicts = all.map((key): ScaleResult => {
    const [x, y] = [a?.get(key), b?.get(key)];
    return isDeepStrictEqual(x, y) ? "other" : allowList("everything")(x, y);
  });
  return verdicts.includes("weaker") ? "weaker" : verdicts.includes("stronger") ? "stronger" : "other";
};

/** A map of allowed items by name: an additional one is weaker. */
export const allowMap: Scale = (before, after) => {
  const [a, b] = [Object.keys(before ?? {}), Object.keys(after ?? {})];
  if (b.some((it) => !a.includes(it))) return "weaker";
  return a.some((it) => !b.includes(it)) ? "stronger" : "other";
};

/** Values from the weakest to the strongest. */
export const rankedValues =
  (...words: readonly unknown[]): Scale =>
  (before, after) =>
    compareNumbers(words.indexOf(before), words.indexOf(after), "stronger");

/** Protects by being present. */
export const presence: Scale = (before, after) =>
  after === undefined ? "weaker" : before === undefined ? "stronger" : "other";

/** A security header: `false` removes it. */
export const protectiveHeader: Scale = (before, after) =>
  after === false ? "weaker" : before === false ? "stronger" : "other";

/** The inverse of a scale: a longer time protects more. */
export const inverse =
  (scale: Scale): Scale =>
  (before, after) =>
    ({ weaker: "stronger", stronger: "weaker", other: "other" })[scale(before, after)] as ScaleResult;

/** A map of independent bounds: `+0.5pp`, `20%`, `800ms`. A missing one is unlimited. */
export const boundMap: Scale = (before, after) => {
  const [a, b] = [before ?? {}, after ?? {}] as Record<string, unknown>[];
  const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
  const verdicts = keys.map((key) =>
    compareNumbers(toNumber(a?.[key], parseBound, Infinity), toNumber(b?.[key], parseBound, Infinity), "weaker"),
  );
  return verdicts.includes("weaker") ? "weaker" : verdicts.includes("stronger") ? "stronger" : "other";
};

const parseBound = (text: string): number =>
  /(?:ms|[smhd])$/.test(text) ? milliseconds(text) : Number.parseFloat(text);

/** A watch after the promotion: a longer one, and a larger hold-back, protect more. */
export const watchScale: Scale = (before, after) => {
  const [a, b] = [before, after].map((it) => watchOf(it as ReleaseConfig["watch"]) ?? { ms: 0, holdBack: 0 });
  const verdicts = (["ms", "holdBack"] as const).map((key) => compareNumbers(a?.[key] ?? 0, b?.[key] ?? 0, "stronger"));
  return verdicts.includes("weaker") ? "weaker" : verdicts.includes("stronger") ? "stronger" : "other";
};

/** More steps protect more. `auto` has four at least. */
export const stepCount: Scale = (before, after) => {
  const count = (steps: unknown) => (steps === "auto" ? 4 : toItems(steps ?? []).length);
  return compareNumbers(count(before), count(after), "stronger");
};
