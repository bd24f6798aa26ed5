/** Compares the validation of a route if its document or schema file changes and the manifest does not. */
import { isDeepStrictEqual } from "node:util";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import type { Schema } from "../../openapi/schemas.ts";
import { quotedList, sentence } from "../core/sentence.ts";
import type { ChangeDetail } from "./chains.ts";
import { changeLocation } from "./grade/change.ts";
import type { RouteModel, TierModel } from "./picture/model.ts";

interface RouteInTier {
  readonly tier: TierModel;
  readonly route: RouteModel;
}

export const compareValidation = (before: RouteInTier, after: RouteInTier): ChangeDetail[] =>
  after.route.checked.chain.flatMap((filter): ChangeDetail[] => {
    const filterBefore = before.route.checked.chain.find(({ id }) => id === filter.id);
    // If the configuration differs too, that change is reported.
    if (!filterBefore || !isDeepStrictEqual(filterBefore.config, filter.config)) return [];
    const [a, b] = [checkedParts(before, filterBefore), checkedParts(after, filter)];
    const changed = [...new Set([...a.keys(), ...b.keys()])].filter((it) => a.get(it) !== b.get(it));
    if (changed.length === 0) return [];
    const message = [...sentence`${filter.use}`, " validates differently: ", ...quotedList(changed.slice(0, maxParts))];
    const more = changed.length > maxParts ? [` and ${changed.length - maxParts} more`] : [];
    return [
      { kind: "filter-changed", message: [...message, ...more], location: changeLocation(filter.source, filter.entry) },
    ];
  });

const maxParts = 6;

/** The validation of each part of a request as text, by part: `query limit`, `the body`. */
const checkedParts = ({ tier, route }: RouteInTier, { id }: CheckedFilter): ReadonlyMap<string, string> => {
  const validation = tier.checked.validations.get(id);
  const found = new Map<string, string>();
  for (const [method, plan] of Object.entries(validation?.plans[route.name] ?? {})) {
    const addPart = (part: string, ...values: readonly unknown[]) =>
      void found.set(part, `${found.get(part) ?? ""}${method} ${JSON.stringify(values)}`);
    const fullSchema = (schema: Schema) => withDefinitions(schema, validation?.definitions ?? {});
    for (const { schema, ...it } of plan.parameters) addPart(`${it.in} ${it.name}`, it, fullSchema(schema));
    if (plan.only) addPart("other parameters", plan.only);
    if (plan.body) {
      const types = Object.entries(plan.body.types).map(([type, it]) => [
        type,
        it && { ...it, schema: fullSchema(it.schema) },
      ]);
      addPart("the body", plan.body.required, types);
    }
  }
  return found;
};

/** A schema with everything that it refers to. */
const withDefinitions = (schema: Schema, definitions: Readonly<Record<string, Schema>>): unknown => {
  const visited = new Set<string>();
  const walk = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)) {
      if (visited.has(name)) continue;
      visited.add(name);
      walk(definitions[name] ?? true);
    }
  };
  walk(schema);
  return [schema, [...visited].map((it) => [it, definitions[it]])];
};
