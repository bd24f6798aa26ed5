/** Parses the values of one name, which may be repeated. */
import type { ValueShape } from "../core/ports/validators.ts";
import { type Choose, repeated } from "./readings.ts";
import { type Decode, scalar } from "./values.ts";

/** A scalar, or the items of a list. @throws Unreadable */
export const valueOfTexts = (texts: readonly string[], shape: ValueShape, decode: Decode, choose: Choose): unknown => {
  const { kinds, items } = shape;
  const [first = ""] = texts;
  if (!items) {
    // The gate and the service could use a different one of the two.
    if (texts.length > 1) throw repeated();
    return scalar(decode(first), shape, choose);
  }
  const all = (): unknown[] => texts.map((it) => scalar(decode(it), items, choose));
  if (texts.length > 1) return all();
  // An empty list and a list of one empty text look the same.
  const list = () => (first === "" ? choose((): unknown[] => [], all) : all());
  return kinds ? choose(() => scalar(decode(first), shape, choose), list) : list();
};
