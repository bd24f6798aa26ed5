/** What requests of a route are checked by, where the file that says it is another one and the manifest is the same. */
import { isDeepStrictEqual } from "node:util";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import type { Schema } from "../../openapi/schemas.ts";
import { list, say } from "../core/sentence.ts";
import type { Found } from "./chains.ts";
import { spotOf } from "./grade/change.ts";
import type { RoutePicture, TierPicture } from "./picture/model.ts";

interface Placed {
  readonly tier: TierPicture;
  readonly route: RoutePicture;
}

export const checksDiffer = (before: Placed, after: Placed): Found[] =>
  after.route.checked.chain.flatMap((filter): Found[] => {
    const other = before.route.checked.chain.find(({ id }) => id === filter.id);
    // Where the manifest differs too, its own change is told.
    if (!other || !isDeepStrictEqual(other.config, filter.config)) return [];
    const [a, b] = [asked(before, other), asked(after, filter)];
    const changed = [...new Set([...a.keys(), ...b.keys()])].filter((it) => a.get(it) !== b.get(it));
    if (changed.length === 0) return [];
    const says = [...say`${filter.use}`, " asks something else of ", ...list(changed.slice(0, most))];
    const more = changed.length > most ? [` and ${changed.length - most} more`] : [];
    return [{ kind: "filter-changed", says: [...says, ...more], spot: spotOf(filter.source, filter.entry) }];
  });

const most = 6;

/** What is asked of each part of a request, as a text: `query limit`, `the body`. */
const asked = ({ tier, route }: Placed, { id }: CheckedFilter): ReadonlyMap<string, string> => {
  const validation = tier.checked.validations.get(id);
  const found = new Map<string, string>();
  for (const [method, plan] of Object.entries(validation?.plans[route.name] ?? {})) {
    const note = (part: string, ...said: readonly unknown[]) =>
      void found.set(part, `${found.get(part) ?? ""}${method} ${JSON.stringify(said)}`);
    const whole = (schema: Schema) => closed(schema, validation?.definitions ?? {});
    for (const { schema, ...it } of plan.parameters) note(`${it.in} ${it.name}`, it, whole(schema));
    if (plan.only) note("other parameters", plan.only);
    if (plan.body) {
      const types = Object.entries(plan.body.types).map(([type, it]) => [
        type,
        it && { ...it, schema: whole(it.schema) },
      ]);
      note("the body", plan.body.required, types);
    }
  }
  return found;
};

/** A schema with all that it refers to, whatever the rest of its file has. */
const closed = (schema: Schema, definitions: Readonly<Record<string, Schema>>): unknown => {
  const named = new Set<string>();
  const walk = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)) {
      if (named.has(name)) continue;
      named.add(name);
      walk(definitions[name] ?? true);
    }
  };
  walk(schema);
  return [schema, [...named].map((it) => [it, definitions[it]])];
};
