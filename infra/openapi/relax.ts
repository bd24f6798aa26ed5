/**
 * Relaxes schemas with unchecked parts. A partial schema accepts more, except where acceptance rejects
 * the request: under `not`, in `oneOf` and in conditions. There the whole subschema is dropped.
 */
import type { OperationPlan } from "./checks.ts";
import { schemaKeywords, schemaListKeywords, schemaMapKeywords } from "./dialects.ts";
import type { Schema, Translator } from "./schemas.ts";

type Definitions = Readonly<Record<string, Schema>>;

/** Returns a function that tells whether a schema contains or refers to a marked one. */
export const refersTo = (
  markedSchemas: ReadonlySet<object>,
  definitions: Definitions,
): ((schema: unknown) => boolean) => {
  if (markedSchemas.size === 0) return () => false;
  const names = new Set<string>();
  // Positive results are final; negative ones only after all names are found.
  const known = new WeakMap<object, boolean>();
  let isDone = false;
  const containsMarked = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    const before = known.get(value);
    if (before !== undefined) return before;
    const found =
      markedSchemas.has(value) ||
      Object.entries(value).some(([key, it]) =>
        key === "$ref" && typeof it === "string"
          ? names.has(it)
          : key !== "enum" && key !== "const" && containsMarked(it),
      );
    if (found || isDone) known.set(value, found);
    return found;
  };
  for (let before = -1; before < names.size; ) {
    before = names.size;
    for (const [name, schema] of Object.entries(definitions))
      if (!names.has(`#/$defs/${name}`) && containsMarked(schema)) names.add(`#/$defs/${name}`);
  }
  isDone = true;
  return containsMarked;
};

/** @param isRelaxed whether a schema checks less than it says */
export const relaxSchema = (schema: Schema, isRelaxed: (schema: unknown) => boolean): Schema => {
  if (typeof schema === "boolean" || !isRelaxed(schema)) return schema;
  const relaxInner = (it: unknown): Schema => relaxSchema(it as Schema, isRelaxed);
  const result: Record<string, unknown> = {};
  for (const [word, it] of Object.entries(schema)) {
    if (word === "not" && isRelaxed(it)) continue;
    if (["if", "then", "else"].includes(word) && isRelaxed(schema.if)) continue;
    if (word === "maxContains" && isRelaxed(schema.contains)) continue;
    if (schemaKeywords.includes(word)) result[word] = relaxInner(it);
    else if (schemaListKeywords.includes(word)) result[word] = (it as unknown[]).map(relaxInner);
    else if (schemaMapKeywords.includes(word))
      result[word] = mapValues(it as Readonly<Record<string, unknown>>, relaxInner);
    else result[word] = it;
  }
  if (!isRelaxed(schema.oneOf)) return result;
  const { oneOf, allOf = [], ...rest } = result;
  return { ...rest, allOf: [...(allOf as unknown[]), { anyOf: oneOf }] };
};

const mapValues = <A, B>(all: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([name, it]) => [name, change(it)]));

type PlansByRoute = Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>;

/** Plans and definitions, with partial schemas relaxed. */
export const relaxPlans = (plans: PlansByRoute, translate: Translator) => {
  const isRelaxed = refersTo(translate.relaxed, translate.definitions());
  const relax = (schema: Schema): Schema => relaxSchema(schema, isRelaxed);
  return {
    plans: mapValues(plans, (methods) => mapValues(methods, (it) => mapSchemas(it, relax))),
    definitions: mapValues(translate.definitions(), relax),
  };
};

const mapSchemas = (plan: OperationPlan, change: (schema: Schema) => Schema): OperationPlan => ({
  ...plan,
  parameters: plan.parameters.map((it) => ({ ...it, schema: change(it.schema) })),
  ...(plan.body && {
    body: { ...plan.body, types: mapValues(plan.body.types, (it) => it && { ...it, schema: change(it.schema) }) },
  }),
});
