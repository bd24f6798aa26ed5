/** Formats figures for the sentences of a verdict. */

/** The locale's formatter takes longer than the statistics. */
export const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");

/** @returns `1 request`, `1,943 requests` */
export const counted = (value: number, noun: string): string =>
  `${number(value)} ${noun}${Math.round(value) === 1 ? "" : "s"}`;

export const percent = (share: number): string => `${significant(share * 100)} %`;

/** A difference of shares, in percentage points. */
export const points = (share: number): string => {
  const text = significant(share * 100);
  return `${text} ${text === "1" ? "point" : "points"}`;
};

export const milliseconds = (value: number | null): string =>
  value === null ? "unknown" : value >= 1000 ? `${significant(value / 1000)} s` : `${significant(value)} ms`;

const minute = 60_000;

/** A time to wait: rounded up. */
export const duration = (ms: number): string => inUnits(ms, Math.ceil);

/** A time that has passed: rounded down. */
export const elapsed = (ms: number): string => inUnits(ms, Math.floor);

const inUnits = (ms: number, round: (value: number) => number): string => {
  if (ms < 2 * minute) return `${Math.max(0, round(ms / 1000))} s`;
  const minutes = round(ms / minute);
  if (minutes < 120) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} min`}`;
  return `${round(minutes / 1440)} days`;
};

/** Three figures at most, without trailing zeros. */
const significant = (value: number): string => {
  const size = Math.abs(value);
  if (size < 1e-6) return "0";
  const text =
    size >= 100
      ? number(value)
      : size >= 10
        ? value.toFixed(1)
        : size >= 0.01
          ? value.toFixed(2)
          : Number(value.toPrecision(1)).toFixed(6);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
};
