/** Drops `required` for read-only properties, which only responses have. */
import { type Json, type JsonDocument, type JsonMap, mapOf } from "./document.ts";
import { composedOf } from "./references.ts";

/**
 * @param all the schema and its `allOf` parents, any of which may declare a property read-only
 * @returns the properties that a request requires
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
