/** What only answers have is required of no request. */
import { type Json, type JsonDocument, type JsonMap, mapOf } from "./document.ts";
import { composedOf } from "./references.ts";

/**
 * @param all the schema, and those that it stands in by `allOf`: any of them may say that a property is read-only
 * @returns names that a request has to have
 */
export const requiredInRequests = (
  document: JsonDocument,
  all: readonly JsonMap[],
  required: readonly Json[],
): readonly Json[] => {
  const composedSchemas = composedOf(document, all);
  const isReadOnly = (name: string): boolean =>
    composedSchemas.some(({ properties }) => {
      const ownProperties = mapOf(properties);
      return (
        Object.hasOwn(ownProperties, name) &&
        composedOf(document, [mapOf(ownProperties[name])]).some((it) => it.readOnly === true)
      );
    });
  return required.filter((name) => typeof name !== "string" || !isReadOnly(name));
};
