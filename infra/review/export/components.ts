/** The components that operations name, brought into one document, each under a name of its own. */
import { isMap, type Json, type JsonMap, mapOf, type OpenApi, pointed } from "../../openapi/document.ts";

export interface Components {
  /** The same value, with references that lead into the new document. */
  readonly brought: (value: Json | undefined, from: OpenApi) => Json;
  readonly all: () => JsonMap;
}

/** @param kept names that are taken: of schemas */
export const components = (kept: Readonly<Record<string, JsonMap>>): Components => {
  const sections: Record<string, Record<string, Json>> = { schemas: { ...kept } };
  const names = new Map<OpenApi, Map<string, string>>();

  const nameOf = (ref: string, from: OpenApi): string => {
    const known = names.get(from) ?? new Map<string, string>();
    names.set(from, known);
    const before = known.get(ref);
    if (before !== undefined) return before;
    const schema = /^#\/\$defs\/([^/]+)$/.exec(ref);
    const [, section = "", name = ""] = schema
      ? ["", "schemas", schema[1]]
      : (/^#\/components\/([^/]+)\/([^/]+)$/.exec(ref) ?? []);
    // What stands elsewhere in a document becomes a schema here: only of those can one name any place.
    const [group, wanted] =
      section === "" ? ["schemas", ref.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(1)] : [section, name];
    const taken = sections[group] ?? {};
    sections[group] = taken;
    let free = wanted;
    for (let turn = 2; Object.hasOwn(taken, free); turn++) free = `${wanted}-${turn}`;
    known.set(ref, `#/components/${group}/${free}`);
    taken[free] = {};
    taken[free] = brought(pointed(from, ref), from);
    return `#/components/${group}/${free}`;
  };

  const brought = (value: Json | undefined, from: OpenApi): Json => {
    if (Array.isArray(value)) return value.map((it: Json) => brought(it, from));
    if (!isMap(value)) return value ?? null;
    return Object.fromEntries(
      Object.entries(value).map(([key, it]) => [
        key,
        key === "$ref" && typeof it === "string"
          ? nameOf(it, from)
          : key === "mapping" && isMap(it)
            ? Object.fromEntries(Object.entries(it).map(([name, to]) => [name, mapped(to, from)]))
            : brought(it, from),
      ]),
    );
  };

  /** A discriminator names schemas by references, or by their names. */
  const mapped = (to: Json | undefined, from: OpenApi): Json =>
    typeof to === "string" && to.startsWith("#/") ? nameOf(to, from) : (to ?? null);

  return {
    brought,
    all: () => Object.fromEntries(Object.entries(sections).map(([group, it]) => [group, mapOf(it)])),
  };
};
