/** Formats figures for the sentences of a verdict. */

/** The locale's formatter takes longer than the statistics. */
export const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");

export const percent = (share: number): string => `${significant(share * 100)} %`;

export const points = (share: number): string => `${significant(share * 100)} points`;

export const milliseconds = (value: number | null): string => (value === null ? "unknown" : `${significant(value)} ms`);

const significant = (value: number): string => {
  const size = Math.abs(value);
  if (size < 1e-6) return "0";
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
      ? value.toFixed(1)
      : size >= 0.01
        ? value.toFixed(2)
        : value.toPrecision(1);
};
