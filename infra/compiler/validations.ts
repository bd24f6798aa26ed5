/** Which operation of a document checks which route, and what of it: for every filter that validates requests. */
import { matchOf, type Segment, segmentsOf } from "../../functions/gateway/match.ts";
import type { OperationPlan } from "../openapi/checks.ts";
import { planOf } from "../openapi/checks.ts";
import { DocumentError, type JsonMap, listOf, mapOf, type OpenApi, stringIn } from "../openapi/document.ts";
import type { TierPlans } from "../openapi/module.ts";
import type { Operation } from "../openapi/operations.ts";
import { type Schema, translator } from "../openapi/schemas.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, Validation } from "./checked.ts";
import type { Documented, Documents } from "./documents.ts";
import { choice } from "./issues.ts";
import { once, type Problem } from "./problem.ts";

interface Validated {
  readonly validations: ReadonlyMap<string, Validation>;
  readonly problems: readonly Problem[];
}

/** @param documents undefined where none are to be read */
export const validationsOf = (tier: CheckedTier, documents: Documents | undefined): Validated => {
  const validations = new Map<string, Validation>();
  const problems: Problem[] = [];
  const filters = tier.routes.flatMap(({ chain }) => chain.filter((it) => it.about.document && it.mode !== "off"));
  for (const filter of new Map(filters.map((it) => [it.id, it])).values()) {
    if (!documents) continue;
    const told = (error: unknown) => {
      if (!(error instanceof DocumentError)) throw error;
      const { message, remedy } = error;
      problems.push(filter.source.problem(filter.entry, "document-unfit", message, { key: filter.use, remedy }));
    };
    try {
      const { file } = asked(filter);
      const found = validated(tier, filter, documents(file));
      problems.push(...found.problems);
      validations.set(filter.id, found.validation);
    } catch (error) {
      told(error);
    }
  }
  return { validations, problems: once([problems], (all) => all.map((it) => ["", it] as const)) };
};

const asked = ({ about, config }: CheckedFilter) => about.document?.(config) ?? { file: "", operation: undefined };

const validated = (tier: CheckedTier, filter: CheckedFilter, { document, operations, digest }: Documented) => {
  const translate = translator(document);
  const find = finder(operations, mapOf(document.root), asked(filter).operation);
  const plans: Record<string, Record<string, OperationPlan>> = {};
  const problems: Problem[] = [];
  // In an order that is not the file's, so that the same routes are the same module.
  const routes = tier.routes.filter(({ chain }) => chain.includes(filter));
  for (const route of routes.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const methods = route.methods.filter((it) => it !== "OPTIONS");
    const found = methods.map((method) => [method, find(route, method)] as const);
    for (const [method, operation] of found)
      if (!operation) problems.push(missing(tier, filter, route, method, document.file, operations));
    plans[route.name] = Object.fromEntries(
      found.flatMap(([method, operation]) =>
        operation ? [[method, planOf(document, operation, route.segments, translate)] as const] : [],
      ),
    );
  }
  const definitions: Readonly<Record<string, Schema>> = translate.definitions();
  const validation: Validation = { digest, plans, definitions };
  return { validation, problems };
};

/** Finds a route's operation: by its own path, by the path with the tier's base, or by the name that the filter gives. */
const finder = (operations: readonly Operation[], root: JsonMap, named: string | undefined) => {
  const byPath = new Map(operations.map((it) => [`${it.method} ${theirs(it)}`, it]));
  const under = serverPath(root);
  return ({ methods, segments, settings }: CheckedRoute, method: string): Operation | undefined => {
    if (named !== undefined) return operations.find((it) => it.id === named && methods.includes(it.method));
    const full = shapeOf(segments);
    const shapes = [shapeOf(segmentsOf(matchOf(settings.match).path)), full];
    if (full.startsWith(`${under}/`)) shapes.push(full.slice(under.length));
    const tried = method === "HEAD" ? ["HEAD", "GET"] : [method];
    return tried
      .flatMap((it) => shapes.flatMap(likeShapes).flatMap((shape) => byPath.get(`${it} ${shape}`) ?? []))
      .at(0);
  };
};

const serverPath = (root: JsonMap): string => {
  const url = stringIn(mapOf(listOf(root.servers)[0]), "url") ?? "";
  const path = URL.canParse(url, "https://any.example") ? new URL(url, "https://any.example").pathname : "/";
  return path.replace(/\/+$/, "");
};

/** OpenAPI calls captures otherwise, so only places are compared. */
const shapeOf = (segments: readonly Segment[]): string =>
  `/${segments.map((it) => (it.kind === "literal" ? it.text : it.kind === "rest" ? "{*}" : "{}")).join("/")}`;

/** A document can put several parameters into one segment (`{~}`), or let the last one take several. */
const theirs = ({ path, parameters }: Operation): string => {
  const last = path.split("/").length - 1;
  const isMany = (name: string) =>
    parameters.some((it) => it.in === "path" && it.name === name && it.value["x-multi-segment"] === true);
  return path
    .split("/")
    .map((text, index) => {
      const [, name] = /^\{([^{}]+)\}$/.exec(text) ?? [];
      if (name === undefined) return text.includes("{") ? "{~}" : text;
      return index === last && isMany(name) ? "{*}" : "{}";
    })
    .join("/");
};

/** The same shape first, then those that take more or less of a last segment. */
const likeShapes = (shape: string): string[] => {
  const end = /\{\*?\}$/.exec(shape)?.index;
  if (end === undefined) return [shape];
  return [shape, ...["{}", "{~}", "{*}"].map((it) => shape.slice(0, end) + it)];
};

const missing = (
  { source }: CheckedTier,
  filter: CheckedFilter,
  { name, settings }: CheckedRoute,
  method: string,
  file: string,
  operations: readonly Operation[],
): Problem => {
  const { operation } = asked(filter);
  const whole = matchOf(settings.match).path;
  const lines = operations.flatMap((it) => (operation === undefined ? `${it.method} ${it.path}` : (it.id ?? [])));
  const message =
    method === "ANY"
      ? `${filter.use} checks ${name} by operations, and ANY is none`
      : operation === undefined
        ? `${file} has no operation ${method} ${whole}`
        : `${file} has no operation "${operation}" for ${method}`;
  const remedy =
    method === "ANY"
      ? "name the methods that the document has: GET,POST"
      : (choice(operation ?? `${method} ${whole}`, lines) ??
        `drop it here: without: [${filter.id}]; or name the operation in a filter of the route`);
  const related = [filter.source.related(filter.entry, `${filter.use} is here`)];
  return source.problem(["routes", name, "match"], "operation-missing", message, { remedy, related });
};

/** The operation that a route is checked by for a method, of the last filter that checks it. */
export const operationOf = (
  route: CheckedRoute,
  method: string,
  documents: Documents,
): { readonly operation: Operation; readonly document: OpenApi } | undefined => {
  const filter = route.chain.findLast(({ about }) => about.document);
  if (!filter) return undefined;
  const { file, operation: named } = asked(filter);
  const { document, operations } = documents(file);
  const operation = finder(operations, mapOf(document.root), named)(route, method);
  return operation && { operation, document };
};

/** Whether a filter that validates reads bodies of a route. */
export const readsBodyOf = ({ validations }: CheckedTier, { id }: CheckedFilter, { name }: CheckedRoute): boolean =>
  Object.values(validations.get(id)?.plans[name] ?? {}).some(
    ({ body }) => body && Object.values(body.types).some((it) => it !== null),
  );

/** Of the routes that one gate serves. */
export const plansOf = ({ manifest: { tier }, routes, validations }: CheckedTier): TierPlans[] => {
  const served = new Set(routes.map(({ name }) => name));
  const all = [...validations].map(([id, { plans }]) => [
    id,
    Object.fromEntries(Object.entries(plans).filter(([name]) => served.has(name))),
  ]);
  if (all.length === 0) return [];
  const definitions = Object.fromEntries([...validations].map(([id, it]) => [id, it.definitions]));
  return [{ tier, plans: Object.fromEntries(all), definitions }];
};
