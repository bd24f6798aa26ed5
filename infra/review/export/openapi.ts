/** OpenAPI 3.1 of what gates really expose: routes, identity, limits and problems, and of documents what they say besides. */
import { upgradeFromThreeToThreeOne } from "@scalar/openapi-upgrader/3.0-to-3.1";
import { capturesIn, capturesOf, templateOf } from "../../../functions/gateway/routing/match.ts";
import { operationOf } from "../../compiler/check/operations.ts";
import type { Documents } from "../../compiler/inputs/documents.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import { type JsonMap, listOf, mapOf, type OpenApi, resolved } from "../../openapi/document.ts";
import { type Operation, operationsOf } from "../../openapi/operations.ts";
import type { Gap } from "../import/imported.ts";
import { type Components, components } from "./components.ts";
import { problemSchema, problemsOf, withProblems } from "./problems.ts";
import { operationBySchemas } from "./schemas.ts";

export interface Exported {
  readonly document: JsonMap;
  readonly operations: number;
  /** Routes that OpenAPI cannot say. */
  readonly gaps: readonly Gap[];
}

export const exportOpenApi = (tiers: readonly CheckedTier[], documents: Documents): Exported => {
  const parts = components({ Problem: problemSchema });
  const upgraded = upgrader(documents);
  const paths: Record<string, Record<string, JsonMap>> = {};
  const keys = new Map<string, { readonly key: string; readonly names: readonly string[] }>();
  const schemes: Record<string, JsonMap> = {};
  const gaps: Gap[] = [];
  let operations = 0;
  for (const tier of tiers)
    for (const route of tier.routes) {
      const place = placeOf(route, upgraded);
      const shape = place.key.replaceAll(/\{[^{}]*\}/g, "{}");
      const { key, names } = keys.get(shape) ?? place;
      keys.set(shape, { key, names });
      const item = paths[key] ?? {};
      paths[key] = item;
      for (const method of route.methods[0] === "ANY" ? anyMethod : route.methods) {
        const where = `${tier.manifest.tier}/${route.name}`;
        if (Object.hasOwn(item, method.toLowerCase())) {
          gaps.push({
            kind: "left-out",
            where,
            what: `OpenAPI has one operation for ${method} ${key}; this one takes some of its requests`,
          });
          continue;
        }
        operations++;
        const known = operationOf(route, method, upgraded) ?? operationBySchemas(tier, route, method);
        item[method.toLowerCase()] = operationText({ tier, route, method, names, known, parts, schemes });
      }
    }
  return { document: documentOf(tiers, paths, parts, schemes), operations, gaps };
};

const anyMethod = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"];

const upgrader = (documents: Documents): Documents => {
  const known = new Map<string, ReturnType<Documents>>();
  return (file) => {
    const before = known.get(file);
    if (before) return before;
    const { document, digest } = documents(file);
    const root = upgradeFromThreeToThreeOne(structuredClone(document.root)) as unknown as JsonMap;
    const upgraded: OpenApi = { file, version: "3.1.0", root };
    const read = { document: upgraded, operations: operationsOf(upgraded), digest };
    known.set(file, read);
    return read;
  };
};

const documentOf = (
  tiers: readonly CheckedTier[],
  paths: Readonly<Record<string, JsonMap>>,
  parts: Components,
  schemes: Readonly<Record<string, JsonMap>>,
): JsonMap => {
  const hosts = [...new Set(tiers.flatMap(({ manifest }) => manifest.hosts))].filter((it) => !it.startsWith("*"));
  return {
    openapi: "3.1.0",
    info: { title: titleOf(tiers), version: "1" },
    servers: hosts.map((host) => ({ url: `https://${host}` })),
    tags: tiers.map(({ manifest: { tier, summary } }) => ({ name: tier, ...(summary && { description: summary }) })),
    paths,
    components: { ...parts.all(), ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }) },
  };
};

/** Of one tier its summary; of several their names, since each summary is the text of a tag. */
const titleOf = (tiers: readonly CheckedTier[]): string => {
  const names = tiers.map(({ manifest }) => manifest.tier);
  const [only] = tiers;
  if (only && tiers.length === 1) return only.manifest.summary ?? only.manifest.tier;
  return names.length > mostNamed ? `API of ${names.length} tiers` : `API of ${names.join(", ")}`;
};

const mostNamed = 4;

interface About {
  readonly tier: CheckedTier;
  readonly route: CheckedRoute;
  readonly method: string;
  /** Of the path's parameters, in order. */
  readonly names: readonly string[];
  readonly known: { readonly operation: Operation; readonly document: OpenApi } | undefined;
  readonly parts: Components;
  /** Gathered here. */
  readonly schemes: Record<string, JsonMap>;
}

const operationText = (about: About): JsonMap => {
  const { tier, route, method, known, parts, schemes } = about;
  const { settings, methods, chain } = route;
  const name = `${tier.manifest.tier}/${route.name}`;
  const { parameters: _, responses, security: __, servers: ___, tags, ...told } = mapOf(known?.operation.value);
  const service = Object.entries(mapOf(responses)).map(([status, it]): [string, JsonMap] => [
    status,
    mapOf(parts.brought(known ? resolved(known.document, it) : null, known?.document as OpenApi)),
  ]);
  const exposed = chain.flatMap(({ about: part, config, use, mode }) =>
    mode === "enforce" && part.exposes ? [{ use, ...part.exposes(config) }] : [],
  );
  const identity = exposed.flatMap(({ use, security }) => (security ? [[use, security] as const] : []));
  for (const [use, scheme] of identity) schemes[nameOfScheme(schemes, use, scheme as JsonMap)] = scheme as JsonMap;
  const needs = identity.map(([use, scheme]) => nameOfScheme(schemes, use, scheme as JsonMap));
  const limits = exposed.flatMap((it) => (it.limits ?? []) as readonly JsonMap[]);
  const answers = service.length > 0 ? service : [["default", { description: "Of the service" }] as const];
  return {
    ...(known ? mapOf(parts.brought(told, known.document)) : {}),
    operationId: methods.length > 1 || methods[0] === "ANY" ? `${name}/${method.toLowerCase()}` : name,
    tags: [tier.manifest.tier],
    ...(settings.summary !== undefined && { summary: settings.summary }),
    ...(settings.deprecated && { deprecated: true }),
    parameters: parametersOf(about),
    responses: withProblems(Object.fromEntries(answers), problemsOf(tier, route)),
    security: needs.length > 0 ? [Object.fromEntries(needs.map((it) => [it, []]))] : [],
    ...(limits.length > 0 && { "x-postern-limits": limits }),
    ...(listOf(tags).length > 0 && { "x-tags": listOf(tags) }),
  };
};

/** Two tiers may mean different headers by one kind of filter. */
const nameOfScheme = (schemes: Readonly<Record<string, JsonMap>>, use: string, scheme: JsonMap): string => {
  const text = JSON.stringify(scheme);
  for (let turn = 1; ; turn++) {
    const name = turn === 1 ? use : `${use}-${turn}`;
    if (!Object.hasOwn(schemes, name) || JSON.stringify(schemes[name]) === text) return name;
  }
};

const parametersOf = ({ route, names, known, parts }: About): JsonMap[] => {
  const captures = capturesOf(route.segments);
  const last = route.segments.at(-1);
  if (names.length > captures.length && known)
    return known.operation.parameters.map((it) => mapOf(parts.brought(it.value, known.document)));
  const theirs = namesIn(known?.operation.path ?? "");
  const inPath = captures.map((it, index): JsonMap => {
    const own = known?.operation.parameters.find((one) => one.in === "path" && one.name === theirs[index]);
    const said = own ? mapOf(parts.brought(own.value, (known as NonNullable<typeof known>).document)) : {};
    return {
      schema: { type: "string", ...(it.pattern !== undefined && { pattern: `^${it.pattern}$` }) },
      ...said,
      name: names[index] as string,
      in: "path",
      required: true,
      ...(last?.kind === "rest" && it.name === last.name && { "x-multi-segment": true }),
    };
  });
  const others = (known?.operation.parameters ?? []).filter((it) => it.in !== "path");
  return [
    ...inPath,
    ...others.map((it) => mapOf(parts.brought(it.value, (known as NonNullable<typeof known>).document))),
  ];
};

interface PlaceInPaths {
  readonly key: string;
  /** Of its parameters, in order. */
  readonly names: readonly string[];
}

const placeOf = (route: CheckedRoute, documents: Documents): PlaceInPaths => {
  const texts = route.segments.map(templateOf);
  const known = operationOf(route, route.methods[0] ?? "", documents)?.operation.path ?? "";
  const theirs = known.slice(1).split("/");
  // A route may take a segment as a whole of which the document has more to say.
  const coarser = capturesIn(route.segments).length < namesIn(known).length;
  const all = coarser ? [...texts.slice(0, Math.max(0, texts.length - theirs.length)), ...theirs] : texts;
  const key = `/${all.join("/")}`;
  return { key, names: namesIn(key) };
};

/** Names of a path's parameters, from left to right. */
const namesIn = (path: string): string[] => [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name);
