/** JSON Schemas for editors: completion, hovers and squiggles in any that speaks the YAML language server's protocol. */
import * as z from "zod";
import type { AboutFilter, AboutUpstream } from "../../functions/gateway/part.ts";
import { consumers, environment } from "../../functions/manifest/environment.ts";
import { filterSettings, manifest, preset, upstreamSettings } from "../../functions/manifest/manifest.ts";
import { caseFile } from "../cases/input/language.ts";
import type { Generated } from "../project/generated-files.ts";
import { registry } from "../project/registry.ts";
import { summaryOf } from "./summary.ts";

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema is walked as the tree that it is
type Schema = any;

/** The modeline of a manifest names the first of them: `# yaml-language-server: $schema=./manifest.schema.json`. */
export const schemas = (): Generated[] => [
  file("manifest", "A manifest of Postern: one tier, its filters, upstreams and routes", withParts(json(manifest()))),
  file("preset", "A preset of Postern: a named list of filters", withParts(json(preset()))),
  file("environment", "An environment of Postern: what variables stand for", json(environment())),
  file("cases", "Cases of Postern: what a client sends, what services see, what the client gets", cases()),
  file("consumers", "The consumers of Postern, and the hashes of their keys", json(consumers())),
];

const file = (name: string, title: string, schema: Schema): Generated => ({
  file: `routes/${name}.schema.json`,
  text: `${JSON.stringify({ $comment: "Written by `npm run gen`; edits are lost.", title, ...schema }, null, 2)}\n`,
});

const json = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any", reused: "inline" });

const cases = (): Schema => {
  const { items, ...list } = json(caseFile());
  return { ...list, items: variable(items) };
};

/** Puts the parts' own schemas where the language has a map of any keys. */
const withParts = (schema: Schema): Schema => {
  const { filters: shared, upstreams: services, routes } = schema.properties;
  shared.items = { $ref: "#/definitions/filter" };
  const ofRoute = routes?.additionalProperties?.properties?.filters;
  if (ofRoute) ofRoute.items = { $ref: "#/definitions/filter" };
  if (services) services.additionalProperties = { $ref: "#/definitions/upstream" };
  const definitions = {
    ...schema.definitions,
    filter: entry("filters", registry.filters, json(filterSettings())),
    ...(services && { upstream: entry("upstreams", registry.upstreams, json(upstreamSettings())) }),
  };
  return variable({ ...schema, definitions });
};

type Parts = Readonly<Record<string, AboutFilter | AboutUpstream>>;

/** An entry names one part and may have settings beside it. That it names exactly one is for the compiler to say: it says it better. */
const entry = (group: "filters" | "upstreams", parts: Parts, settings: Schema): Schema => ({
  type: "object",
  minProperties: 1,
  additionalProperties: false,
  properties: {
    ...Object.fromEntries(Object.entries(parts).map(([name, about]) => [name, partOf(group, name, about)])),
    ...settings.properties,
  },
});

const partOf = (
  group: "filters" | "upstreams",
  name: string,
  { schema, short, example }: AboutFilter | AboutUpstream,
): Schema => {
  const { $schema: _, ...whole } = json(schema);
  const description = summaryOf(group, name);
  const shortly = short === undefined ? undefined : whole.properties[short];
  if (short === undefined || !shortly) return { ...whole, description, examples: [example] };
  return { description, examples: [(example as Record<string, unknown>)[short], example], anyOf: [shortly, whole] };
};

const reference = "^\\$\\{[a-z0-9-]+\\}$";

/** A text or a list may be a variable of the environment: `${accounts-url}`. */
const variable = (schema: Schema): Schema => {
  if (Array.isArray(schema)) return schema.map(variable);
  if (typeof schema !== "object" || schema === null) return schema;
  const { default: fallback, examples, ...rest } = schema;
  const walked = Object.fromEntries(
    Object.entries(rest).map(([key, it]) => [
      key,
      key === "enum" || key === "const" || key === "propertyNames" ? it : variable(it),
    ]),
  ) as Schema;
  const kept = { ...(fallback !== undefined && { default: fallback }), ...(examples !== undefined && { examples }) };
  const { type, pattern, format, enum: choice, description } = walked;
  if (type === "string" && choice)
    return {
      ...(description && { description }),
      ...kept,
      anyOf: [
        { type, enum: choice },
        { type, pattern: reference },
      ],
    };
  if (type === "string" && (pattern || format)) {
    const own = format === "uri" ? "^[a-z]+://" : pattern;
    delete walked.format;
    return { ...walked, ...kept, pattern: own ? `(?:${own})|${reference}` : reference };
  }
  if (type === "array") {
    const { description: said, ...list } = walked;
    return { ...(said && { description: said }), ...kept, anyOf: [list, { type: "string", pattern: reference }] };
  }
  return { ...walked, ...kept };
};
