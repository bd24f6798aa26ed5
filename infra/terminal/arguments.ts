/** Parses numbers of the command line, and formats times for its tables. */

/**
 * @param at milliseconds since the epoch
 * @returns `2026-11-26 17:05:00` in UTC; a number without a date stays a number
 */
export const formatTime = (at: number): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `no date (${at})` : date.toISOString().slice(0, -5).replace("T", " ");
};

/**
 * 0 to 65535; 0 for a free port.
 * @throws where it is none
 */
export const parsePort = (text: string, option: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${option} takes a number up to 65535, not "${text}"`);
  return port;
};

/** @throws where it is no whole number from 1 to `max` */
export const parseCount = (text: string, option: string, max: number): number => {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > max) throw new Error(`${option} takes 1 to ${max}, not "${text}"`);
  return count;
};

/**
 * A percentage, with or without a fraction.
 * @throws where it is none
 */
export const parsePercent = (text: string, option: string): number => {
  const share = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || share > 100) throw new Error(`${option} takes 0 to 100, not "${text}"`);
  return share;
};
