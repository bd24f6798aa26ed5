/** Conditions of `when` in words. */
import type { Test } from "../../../../functions/gateway/routing/matchers.ts";
import { hidden } from "../../../diagnostics/secret-literals.ts";
import { joined, type Sentence, say, shown } from "../../core/sentence.ts";

/** `whose header x-beta is present` */
export const conditions = (tests: readonly Test[]): Sentence => ["whose ", ...joined(tests.map(one), " and ")];

const one = ([on, name, is, value]: Test): Sentence => {
  const subject: Sentence = name === "" ? [on.replace("-", " ")] : [`${on} `, ...say`${name}`];
  if (is === "present" || is === "absent") return [...subject, ` is ${is}`];
  const verb = { exact: " is ", prefix: " begins with ", matches: " fits " }[is];
  // Some ask for a shared secret this way.
  return [...subject, verb, ...say`${shown(hidden(value, name))}`];
};
