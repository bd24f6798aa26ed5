/** Describes the matchers of `when` in words. */
import type { Matcher } from "../../../../functions/gateway/routing/matchers.ts";
import { maskSecrets } from "../../../diagnostics/secret-literals.ts";
import { formatValue, joinSentences, type Sentence, sentence } from "../../core/sentence.ts";

/** `whose header x-beta is present` */
export const describeMatchers = (tests: readonly Matcher[]): Sentence => [
  "whose ",
  ...joinSentences(tests.map(describeMatcher), " and "),
];

const describeMatcher = ([source, name, operator, value]: Matcher): Sentence => {
  const subject: Sentence = name === "" ? [source.replace("-", " ")] : [`${source} `, ...sentence`${name}`];
  if (operator === "present" || operator === "absent") return [...subject, ` is ${operator}`];
  const verb = { exact: " is ", prefix: " begins with ", matches: " fits " }[operator];
  // Matchers may contain a shared secret.
  return [...subject, verb, ...sentence`${formatValue(maskSecrets(value, name))}`];
};
