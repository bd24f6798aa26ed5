/** Generates JSON Schemas for editors that use the YAML language server. */
import * as z from "zod";
import type { FilterSpec, UpstreamSpec } from "../../functions/gateway/part.ts";
import { consumers, environment } from "../../functions/manifest/environment.ts";
import { filterSettings, manifest, preset, upstreamSettings } from "../../functions/manifest/manifest.ts";
import { caseFile } from "../cases/input/language.ts";
import type { GeneratedFile } from "../project/generated-files.ts";
import { registry } from "../project/registry.ts";
import { summaryOf } from "./summary.ts";

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema is walked as the tree that it is
type Schema = any;

/** The first line of a manifest names the first of them: `# yaml-language-server: $schema=./manifest.schema.json`. */
export const schemas = (): GeneratedFile[] => [
  file(
    "manifest",
    "A manifest of Postern: one tier, its filters, upstreams and routes",
    withParts(toJsonSchema(manifest())),
  ),
  file("preset", "A preset of Postern: a named list of filters", withParts(toJsonSchema(preset()))),
  file("environment", "An environment of Postern: the values of variables", toJsonSchema(environment())),
  file("cases", "Cases of Postern: what a client sends, what services see, what the client gets", cases()),
  file("consumers", "The consumers of Postern, and the hashes of their keys", toJsonSchema(consumers())),
];

const file = (name: string, title: string, schema: Schema): GeneratedFile => ({
  file: `routes/${name}.schema.json`,
  text: `${JSON.stringify({ $comment: "Written by `postern gen`; edits are lost.", title, ...schema }, null, 2)}\n`,
});

const toJsonSchema = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any", reused: "inline" });

const cases = (): Schema => {
  const { items, ...list } = toJsonSchema(caseFile());
  return { ...list, items: allowVariables(items) };
};

/** Puts the parts' own schemas where the manifest's schema has a map of any keys. */
const withParts = (schema: Schema): Schema => {
  const { filters: shared, upstreams: services, routes } = schema.properties;
  shared.items = { $ref: "#/definitions/filter" };
  const ofRoute = routes?.additionalProperties?.properties?.filters;
  if (ofRoute) ofRoute.items = { $ref: "#/definitions/filter" };
  if (services) services.additionalProperties = { $ref: "#/definitions/upstream" };
  const definitions = {
    ...schema.definitions,
    filter: entrySchema("filters", registry.filters, toJsonSchema(filterSettings())),
    ...(services && { upstream: entrySchema("upstreams", registry.upstreams, toJsonSchema(upstreamSettings())) }),
  };
  return allowVariables({ ...schema, definitions });
};

type Parts = Readonly<Record<string, FilterSpec | UpstreamSpec>>;

/**
 * An entry names one part and may have settings beside it. The compiler checks that it names exactly one, since its message
 * is better.
 */
const entrySchema = (group: "filters" | "upstreams", parts: Parts, settings: Schema): Schema => ({
  type: "object",
  minProperties: 1,
  additionalProperties: false,
  properties: {
    ...Object.fromEntries(Object.entries(parts).map(([name, spec]) => [name, partSchema(group, name, spec)])),
    ...settings.properties,
  },
});

const partSchema = (
  group: "filters" | "upstreams",
  name: string,
  { schema, short, example }: FilterSpec | UpstreamSpec,
): Schema => {
  const { $schema: _, ...whole } = toJsonSchema(schema);
  const description = summaryOf(group, name);
  const shortForm = short === undefined ? undefined : whole.properties[short];
  if (short === undefined || !shortForm) return { ...whole, description, examples: [example] };
  return { description, examples: [(example as Record<string, unknown>)[short], example], anyOf: [shortForm, whole] };
};

const reference = "^\\$\\{[a-z0-9-]+\\}$";

/** Allows a variable of the environment (`${accounts-url}`) wherever a text or a list stands. */
const allowVariables = (schema: Schema): Schema => {
  if (Array.isArray(schema)) return schema.map(allowVariables);
  if (typeof schema !== "object" || schema === null) return schema;
  const { default: fallback, examples, ...rest } = schema;
  const walked = Object.fromEntries(
    Object.entries(rest).map(([key, it]) => [
      key,
      key === "enum" || key === "const" || key === "propertyNames" ? it : allowVariables(it),
    ]),
  ) as Schema;
  const annotations = {
    ...(fallback !== undefined && { default: fallback }),
    ...(examples !== undefined && { examples }),
  };
  const { type, pattern, format, enum: choice, description } = walked;
  if (type === "string" && choice)
    return {
      ...(description && { description }),
      ...annotations,
      anyOf: [
        { type, enum: choice },
        { type, pattern: reference },
      ],
    };
  if (type === "string" && (pattern || format)) {
    const variablePattern = format === "uri" ? "^[a-z]+://" : pattern;
    delete walked.format;
    return { ...walked, ...annotations, pattern: variablePattern ? `(?:${variablePattern})|${reference}` : reference };
  }
  if (type === "array") {
    const { description: listDescription, ...list } = walked;
    return {
      ...(listDescription && { description: listDescription }),
      ...annotations,
      anyOf: [list, { type: "string", pattern: reference }],
    };
  }
  return { ...walked, ...annotations };
};
