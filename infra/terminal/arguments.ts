/** Numbers of the command line, and times as its tables show them. */

/** @param at milliseconds since the epoch @returns as `2026-11-26 17:05:00`, UTC; what no calendar has is said as the number it is */
export const formatTime = (at: number): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `no date (${at})` : date.toISOString().slice(0, -5).replace("T", " ");
};

/** @throws where it is none: 0 to 65535, 0 for a free one */
export const parsePort = (text: string, option: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${option} takes a number up to 65535, not "${text}"`);
  return port;
};

/** @throws where it is none from 1 to `most` */
export const parseCount = (text: string, option: string, max: number): number => {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > max) throw new Error(`${option} takes 1 to ${max}, not "${text}"`);
  return count;
};

/** @throws where it is no share in per cent; fractions are */
export const parsePercent = (text: string, option: string): number => {
  const share = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || share > 100) throw new Error(`${option} takes 0 to 100, not "${text}"`);
  return share;
};
