/**
 * What follows where a part of a schema is not checked. A schema that checks less lets more pass, except where letting pass decides
 * against a request: beneath `not`, of alternatives that only one may hold of, and in conditions. There the whole of it is left out.
 */
import type { OperationPlan } from "./checks.ts";
import { named, several, single } from "./dialects.ts";
import type { Schema, Translator } from "./schemas.ts";

type Definitions = Readonly<Record<string, Schema>>;

/** Whether a schema, or one that it refers to, is among the marked ones. */
export const reaching = (marked: ReadonlySet<object>, definitions: Definitions): ((schema: unknown) => boolean) => {
  if (marked.size === 0) return () => false;
  const names = new Set<string>();
  // What holds one stays so; what holds none may hold one later, as long as names are found.
  const known = new WeakMap<object, boolean>();
  let isDone = false;
  const holds = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    const before = known.get(value);
    if (before !== undefined) return before;
    const found =
      marked.has(value) ||
      Object.entries(value).some(([key, it]) =>
        key === "$ref" && typeof it === "string" ? names.has(it) : key !== "enum" && key !== "const" && holds(it),
      );
    if (found || isDone) known.set(value, found);
    return found;
  };
  for (let before = -1; before < names.size; ) {
    before = names.size;
    for (const [name, schema] of Object.entries(definitions))
      if (!names.has(`#/$defs/${name}`) && holds(schema)) names.add(`#/$defs/${name}`);
  }
  isDone = true;
  return holds;
};

/** @param isLoose whether a schema checks less than it says */
export const loosened = (schema: Schema, isLoose: (schema: unknown) => boolean): Schema => {
  if (typeof schema === "boolean" || !isLoose(schema)) return schema;
  const inner = (it: unknown): Schema => loosened(it as Schema, isLoose);
  const result: Record<string, unknown> = {};
  for (const [word, it] of Object.entries(schema)) {
    if (word === "not" && isLoose(it)) continue;
    if (["if", "then", "else"].includes(word) && isLoose(schema.if)) continue;
    if (word === "maxContains" && isLoose(schema.contains)) continue;
    if (single.includes(word)) result[word] = inner(it);
    else if (several.includes(word)) result[word] = (it as unknown[]).map(inner);
    else if (named.includes(word)) result[word] = mapValues(it as Readonly<Record<string, unknown>>, inner);
    else result[word] = it;
  }
  if (!isLoose(schema.oneOf)) return result;
  const { oneOf, allOf = [], ...rest } = result;
  return { ...rest, allOf: [...(allOf as unknown[]), { anyOf: oneOf }] };
};

const mapValues = <A, B>(all: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(all).map(([name, it]) => [name, change(it)]));

type Plans = Readonly<Record<string, Readonly<Record<string, OperationPlan>>>>;

/** Plans and definitions, with what may not be half checked left out. */
export const settled = (plans: Plans, translate: Translator) => {
  const isLoose = reaching(translate.loose, translate.definitions());
  const settle = (schema: Schema): Schema => loosened(schema, isLoose);
  return {
    plans: mapValues(plans, (methods) => mapValues(methods, (it) => withSchemas(it, settle))),
    definitions: mapValues(translate.definitions(), settle),
  };
};

const withSchemas = (plan: OperationPlan, change: (schema: Schema) => Schema): OperationPlan => ({
  ...plan,
  parameters: plan.parameters.map((it) => ({ ...it, schema: change(it.schema) })),
  ...(plan.body && {
    body: { ...plan.body, types: mapValues(plan.body.types, (it) => it && { ...it, schema: change(it.schema) }) },
  }),
});
