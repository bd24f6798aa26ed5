/** Exports what the gates expose as OpenAPI 3.1: routes, security, limits and problems, with descriptions from imported documents. */
import { upgradeFromThreeToThreeOne } from "@scalar/openapi-upgrader/3.0-to-3.1";
import { capturesIn, capturesOf, templateOf } from "../../../functions/gateway/routing/match.ts";
import { operationOf } from "../../compiler/check/operations.ts";
import type { DocumentLoader } from "../../compiler/inputs/documents.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import { type JsonMap, listOf, mapOf, type OpenApi, resolveRefs } from "../../openapi/document.ts";
import { listOperations, type Operation } from "../../openapi/operations.ts";
import type { Gap } from "../import/imported.ts";
import { type ComponentSet, createComponents } from "./components.ts";
import { addProblems, possibleProblems, problemSchema } from "./problems.ts";
import { operationBySchemas } from "./schemas.ts";

export interface OpenApiExport {
  readonly document: JsonMap;
  readonly operations: number;
  /** Routes that OpenAPI cannot express. */
  readonly gaps: readonly Gap[];
}

export const exportOpenApi = (tiers: readonly CheckedTier[], documents: DocumentLoader): OpenApiExport => {
  const componentSet = createComponents({ Problem: problemSchema });
  const upgraded = createUpgrader(documents);
  const paths: Record<string, Record<string, JsonMap>> = {};
  const pathsByShape = new Map<string, { readonly key: string; readonly names: readonly string[] }>();
  const schemes: Record<string, JsonMap> = {};
  const gaps: Gap[] = [];
  let operations = 0;
  for (const tier of tiers)
    for (const route of tier.routes) {
      const entry = pathEntry(route, upgraded);
      const shape = entry.key.replaceAll(/\{[^{}]*\}/g, "{}");
      const { key, names } = pathsByShape.get(shape) ?? entry;
      pathsByShape.set(shape, { key, names });
      const item = paths[key] ?? {};
      paths[key] = item;
      for (const method of route.methods[0] === "ANY" ? allMethods : route.methods) {
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
        item[method.toLowerCase()] = toOperation({ tier, route, method, names, known, componentSet, schemes });
      }
    }
  return { document: toDocument(tiers, paths, componentSet, schemes), operations, gaps };
};

const allMethods = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"];

const createUpgrader = (documents: DocumentLoader): DocumentLoader => {
  const known = new Map<string, ReturnType<DocumentLoader>>();
  return (file) => {
    const before = known.get(file);
    if (before) return before;
    const { document, digest } = documents(file);
    const root = upgradeFromThreeToThreeOne(structuredClone(document.root)) as unknown as JsonMap;
    const upgraded: OpenApi = { file, version: "3.1.0", root };
    const read = { document: upgraded, operations: listOperations(upgraded), digest };
    known.set(file, read);
    return read;
  };
};

const toDocument = (
  tiers: readonly CheckedTier[],
  paths: Readonly<Record<string, JsonMap>>,
  componentSet: ComponentSet,
  schemes: Readonly<Record<string, JsonMap>>,
): JsonMap => {
  const hosts = [...new Set(tiers.flatMap(({ manifest }) => manifest.hosts))].filter((it) => !it.startsWith("*"));
  return {
    openapi: "3.1.0",
    info: { title: documentTitle(tiers), version: "1" },
    servers: hosts.map((host) => ({ url: `https://${host}` })),
    tags: tiers.map(({ manifest: { tier, summary } }) => ({ name: tier, ...(summary && { description: summary }) })),
    paths,
    components: { ...componentSet.all(), ...(Object.keys(schemes).length > 0 && { securitySchemes: schemes }) },
  };
};

/** The summary of a single tier; otherwise the tiers' names, since summaries are tag descriptions. */
const documentTitle = (tiers: readonly CheckedTier[]): string => {
  const names = tiers.map(({ manifest }) => manifest.tier);
  const [only] = tiers;
  if (only && tiers.length === 1) return only.manifest.summary ?? only.manifest.tier;
  return names.length > maxNamedTiers ? `API of ${names.length} tiers` : `API of ${names.join(", ")}`;
};

const maxNamedTiers = 4;

interface OperationContext {
  readonly tier: CheckedTier;
  readonly route: CheckedRoute;
  readonly method: string;
  /** Names of the path parameters, in order. */
  readonly names: readonly string[];
  readonly known: { readonly operation: Operation; readonly document: OpenApi } | undefined;
  readonly componentSet: ComponentSet;
  /** Security schemes collected so far. */
  readonly schemes: Record<string, JsonMap>;
}

const toOperation = (context: OperationContext): JsonMap => {
  const { tier, route, method, known, componentSet, schemes } = context;
  const { settings, methods, chain } = route;
  const name = `${tier.manifest.tier}/${route.name}`;
  const {
    parameters: _,
    responses,
    security: __,
    servers: ___,
    tags,
    ...operationFields
  } = mapOf(known?.operation.value);
  const service = Object.entries(mapOf(responses)).map(([status, it]): [string, JsonMap] => [
    status,
    mapOf(componentSet.importValue(known ? resolveRefs(known.document, it) : null, known?.document as OpenApi)),
  ]);
  const exposed = chain.flatMap(({ spec: part, config, use, mode }) =>
    mode === "enforce" && part.exposes ? [{ use, ...part.exposes(config) }] : [],
  );
  const identity = exposed.flatMap(({ use, security }) => (security ? [[use, security] as const] : []));
  for (const [use, scheme] of identity) schemes[schemeName(schemes, use, scheme as JsonMap)] = scheme as JsonMap;
  const schemeNames = identity.map(([use, scheme]) => schemeName(schemes, use, scheme as JsonMap));
  const limits = exposed.flatMap((it) => (it.limits ?? []) as readonly JsonMap[]);
  const answers = service.length > 0 ? service : [["default", { description: "Of the service" }] as const];
  return {
    ...(known ? mapOf(componentSet.importValue(operationFields, known.document)) : {}),
    operationId: methods.length > 1 || methods[0] === "ANY" ? `${name}/${method.toLowerCase()}` : name,
    tags: [tier.manifest.tier],
    ...(settings.summary !== undefined && { summary: settings.summary }),
    ...(settings.deprecated && { deprecated: true }),
    parameters: toParameters(context),
    responses: addProblems(Object.fromEntries(answers), possibleProblems(tier, route)),
    security: schemeNames.length > 0 ? [Object.fromEntries(schemeNames.map((it) => [it, []]))] : [],
    ...(limits.length > 0 && { "x-postern-limits": limits }),
    ...(listOf(tags).length > 0 && { "x-tags": listOf(tags) }),
  };
};

/** A unique name for a scheme: tiers may configure one kind of filter differently. */
const schemeName = (schemes: Readonly<Record<string, JsonMap>>, use: string, scheme: JsonMap): string => {
  const text = JSON.stringify(scheme);
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? use : `${use}-${counter}`;
    if (!Object.hasOwn(schemes, name) || JSON.stringify(schemes[name]) === text) return name;
  }
};

const toParameters = ({ route, names, known, componentSet }: OperationContext): JsonMap[] => {
  const captures = capturesOf(route.segments);
  const last = route.segments.at(-1);
  if (names.length > captures.length && known)
    return known.operation.parameters.map((it) => mapOf(componentSet.importValue(it.value, known.document)));
  const documentNames = parameterNames(known?.operation.path ?? "");
  const inPath = captures.map((it, index): JsonMap => {
    const documentParameter = known?.operation.parameters.find(
      (one) => one.in === "path" && one.name === documentNames[index],
    );
    const documented = documentParameter
      ? mapOf(componentSet.importValue(documentParameter.value, (known as NonNullable<typeof known>).document))
      : {};
    return {
      schema: { type: "string", ...(it.pattern !== undefined && { pattern: `^${it.pattern}$` }) },
      ...documented,
      name: names[index] as string,
      in: "path",
      required: true,
      ...(last?.kind === "rest" && it.name === last.name && { "x-multi-segment": true }),
    };
  });
  const others = (known?.operation.parameters ?? []).filter((it) => it.in !== "path");
  return [
    ...inPath,
    ...others.map((it) => mapOf(componentSet.importValue(it.value, (known as NonNullable<typeof known>).document))),
  ];
};

interface PathEntry {
  readonly key: string;
  /** Names of its parameters, in order. */
  readonly names: readonly string[];
}

const pathEntry = (route: CheckedRoute, documents: DocumentLoader): PathEntry => {
  const texts = route.segments.map(templateOf);
  const known = operationOf(route, route.methods[0] ?? "", documents)?.operation.path ?? "";
  const documentNames = known.slice(1).split("/");
  // The route may capture a whole segment that the document splits.
  const isCoarser = capturesIn(route.segments).length < parameterNames(known).length;
  const all = isCoarser
    ? [...texts.slice(0, Math.max(0, texts.length - documentNames.length)), ...documentNames]
    : texts;
  const key = `/${all.join("/")}`;
  return { key, names: parameterNames(key) };
};

/** Names of a path's parameters, from left to right. */
const parameterNames = (path: string): string[] => [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name);
