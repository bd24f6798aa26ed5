/** Collects the components that exported operations refer to, each under a unique name. */
import { isMap, type Json, type JsonMap, mapOf, type OpenApi, resolvePointer } from "../../openapi/document.ts";

export interface ComponentSet {
  /** Returns the value with references into the new document. */
  readonly importValue: (value: Json | undefined, from: OpenApi) => Json;
  readonly all: () => JsonMap;
}

/** @param reservedSchemas names that are taken: of schemas */
export const createComponents = (reservedSchemas: Readonly<Record<string, JsonMap>>): ComponentSet => {
  const sections: Record<string, Record<string, Json>> = { schemas: { ...reservedSchemas } };
  const names = new Map<OpenApi, Map<string, string>>();

  const nameOf = (ref: string, from: OpenApi): string => {
    const known = names.get(from) ?? new Map<string, string>();
    names.set(from, known);
    const existing = known.get(ref);
    if (existing !== undefined) return existing;
    const schema = /^#\/\$defs\/([^/]+)$/.exec(ref);
    const [, section = "", name = ""] = schema
      ? ["", "schemas", schema[1]]
      : (/^#\/components\/([^/]+)\/([^/]+)$/.exec(ref) ?? []);
    // Other references become schemas, since only schemas can be referenced from anywhere.
    const [group, baseName] =
      section === "" ? ["schemas", ref.replaceAll(/[^A-Za-z0-9._-]+/g, "-").slice(1)] : [section, name];
    const entries = sections[group] ?? {};
    sections[group] = entries;
    let freeName = baseName;
    for (let counter = 2; Object.hasOwn(entries, freeName); counter++) freeName = `${baseName}-${counter}`;
    known.set(ref, `#/components/${group}/${freeName}`);
    entries[freeName] = {};
    entries[freeName] = importValue(resolvePointer(from, ref), from);
    return `#/components/${group}/${freeName}`;
  };

  const importValue = (value: Json | undefined, from: OpenApi): Json => {
    if (Array.isArray(value)) return value.map((it: Json) => importValue(it, from));
    if (!isMap(value)) return value ?? null;
    return Object.fromEntries(
      Object.entries(value).map(([key, it]) => [
        key,
        key === "$ref" && typeof it === "string"
          ? nameOf(it, from)
          : key === "mapping" && isMap(it)
            ? Object.fromEntries(Object.entries(it).map(([name, to]) => [name, importMapping(to, from)]))
            : importValue(it, from),
      ]),
    );
  };

  /** A discriminator mapping has references or schema names. */
  const importMapping = (to: Json | undefined, from: OpenApi): Json =>
    typeof to === "string" && to.startsWith("#/") ? nameOf(to, from) : (to ?? null);

  return {
    importValue,
    all: () => Object.fromEntries(Object.entries(sections).map(([group, it]) => [group, mapOf(it)])),
  };
};
