/** Reads what one name has been sent with, once or several times. */
import type { ValueShape } from "../core/ports/validators.ts";
import { type Choose, repeated } from "./readings.ts";
import { type Decode, scalar } from "./values.ts";

/** A scalar, or the items of a list. @throws Unreadable */
export const valueOfTexts = (texts: readonly string[], shape: ValueShape, decode: Decode, choose: Choose): unknown => {
  const { kinds, items } = shape;
  const [first = ""] = texts;
  if (!items) {
    // Which of two is meant, this gate and the service could see differently.
    if (texts.length > 1) throw repeated();
    return scalar(decode(first), shape, choose);
  }
  const all = (): unknown[] => texts.map((it) => scalar(decode(it), items, choose));
  if (texts.length > 1) return all();
  // An empty list is written as a list of one empty text is.
  const list = () => (first === "" ? choose((): unknown[] => [], all) : all());
  return kinds ? choose(() => scalar(decode(first), shape, choose), list) : list();
};
