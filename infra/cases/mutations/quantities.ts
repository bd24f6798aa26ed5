/** Slightly larger and smaller quantities, for mutation testing. */
import { bytes, milliseconds, requestsPerWindow } from "../../../functions/gateway/core/quantities.ts";

/** Slightly larger and smaller values: sizes by one byte, address ranges by one bit, others by a tenth. Empty for a text that is not a quantity. */
export const nearbyQuantities = (text: string): string[] => {
  const [, address, bits] = range.exec(text) ?? [];
  if (address !== undefined) return [Number(bits) - 1, Number(bits) + 1].filter(isMask).map((it) => `${address}/${it}`);
  const size = tryParse(bytes, text);
  if (size !== undefined) return [size + 1, size - 1].filter((it) => it >= 0).map((it) => `${it}B`);
  const time = tryParse(milliseconds, text);
  if (time !== undefined) return [1.1, 0.9].map((by) => `${Math.round(time * by)}ms`);
  const rate = tryParse(requestsPerWindow, text);
  if (!rate) return [];
  const { count, windowMs } = rate;
  const tenth = Math.ceil(count / 10);
  const counts = [count + tenth, count - tenth]
    .filter((it) => it > 0)
    .map((it) => `${it}/${text.slice(text.indexOf("/") + 1)}`);
  return [...counts, `${count}/${formatWindow(2 * windowMs)}`];
};

/** IPv4 addresses. */
const range = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/;
const isMask = (bits: number): boolean => bits >= 0 && bits <= 32;

const formatWindow = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

const tryParse = <T>(parse: (text: string) => T, text: string): T | undefined => {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
};
