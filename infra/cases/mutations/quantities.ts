/** Quantities that are nearly what they were. */
import { bytes, milliseconds, perWindow } from "../../../functions/gateway/core/quantities.ts";

/** A little more and a little less of it: sizes by one byte, ranges by one bit, all else by a tenth. Nothing for a text that is no quantity. */
export const more = (text: string): string[] => {
  const [, address, bits] = range.exec(text) ?? [];
  if (address !== undefined) return [Number(bits) - 1, Number(bits) + 1].filter(isMask).map((it) => `${address}/${it}`);
  const size = tried(bytes, text);
  if (size !== undefined) return [size + 1, size - 1].filter((it) => it >= 0).map((it) => `${it}B`);
  const time = tried(milliseconds, text);
  if (time !== undefined) return [1.1, 0.9].map((by) => `${Math.round(time * by)}ms`);
  const rate = tried(perWindow, text);
  if (!rate) return [];
  const { count, windowMs } = rate;
  const tenth = Math.ceil(count / 10);
  const counts = [count + tenth, count - tenth]
    .filter((it) => it > 0)
    .map((it) => `${it}/${text.slice(text.indexOf("/") + 1)}`);
  return [...counts, `${count}/${windowOf(2 * windowMs)}`];
};

/** IPv4 addresses. */
const range = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/;
const isMask = (bits: number): boolean => bits >= 0 && bits <= 32;

const windowOf = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

const tried = <T>(read: (text: string) => T, text: string): T | undefined => {
  try {
    return read(text);
  } catch {
    return undefined;
  }
};
