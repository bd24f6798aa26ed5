/** What only answers have is required of no request. */
import { type Json, type JsonMap, mapOf, type Rooted } from "./document.ts";
import { composed } from "./references.ts";

/**
 * @param all the schema, and those that it stands in by `allOf`: any of them may say that a property is read-only
 * @returns names that a request has to have
 */
export const requiredOfRequests = (
  document: Rooted,
  all: readonly JsonMap[],
  required: readonly Json[],
): readonly Json[] => {
  const whole = composed(document, all);
  const isReadOnly = (name: string): boolean =>
    whole.some(({ properties }) => {
      const own = mapOf(properties);
      return Object.hasOwn(own, name) && composed(document, [mapOf(own[name])]).some((it) => it.readOnly === true);
    });
  return required.filter((name) => typeof name !== "string" || !isReadOnly(name));
};
