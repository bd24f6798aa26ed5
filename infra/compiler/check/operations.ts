/** Which operation of an OpenAPI document a route is checked by. */
import { matchOf, type Segment, segmentsOf, templateOf } from "../../../functions/gateway/routing/match.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import { type JsonMap, listOf, mapOf, type OpenApi, stringIn } from "../../openapi/document.ts";
import type { Operation } from "../../openapi/operations.ts";
import { sent, takesSeveral } from "../../openapi/paths.ts";
import type { Documents } from "../inputs/documents.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../model/checked.ts";

/** Finds a route's operation: by its own path, by the path with the tier's base, or by the name that the filter gives. */
export const finder = (operations: readonly Operation[], root: JsonMap, named: string | undefined) => {
  // Where several are alike, the one that says most of its path comes last, and holds.
  const byPath = new Map(
    [true, false].flatMap((areWhole) =>
      operations.flatMap((it) => theirs(it, areWhole).map((path) => [`${it.method} ${path}`, it] as const)),
    ),
  );
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
  `/${segments.map((it) => (it.kind === "rest" ? "{*}" : unnamed(templateOf(it)))).join("/")}`;

/** `{id}:cancel` as `{}:cancel`. */
const unnamed = (text: string): string => text.replaceAll(/\{[^{}]*\}/g, "{}");

/**
 * A document can let the last parameter take several segments, and a route may take a segment as a whole that holds several parameters.
 * @param areWhole whether some segment is taken so
 */
const theirs = (operation: Operation, areWhole: boolean): string[] => {
  const texts = operation.path.split("/");
  const ways = texts.map((text, index): string[] => {
    const [, name] = /^\{([^{}]+)\}$/.exec(text) ?? [];
    if (name !== undefined) return [index === texts.length - 1 && takesSeveral(name, operation) ? "{*}" : "{}"];
    return text.includes("{") ? [unnamed(sentAround(text)), "{}"] : [sent(text)];
  });
  const [exact = "", ...others] = product(ways);
  // What is taken whole less often holds before what is taken so more often.
  return areWhole ? others.toReversed() : [exact];
};

/** Of one document's path. */
const mostWays = 16;

/** All ways to put a path together; beyond some segments, each is taken as it is written. */
const product = (ways: readonly (readonly string[])[]): string[] =>
  ways
    .reduce<string[]>(
      (paths, way) => {
        const taken = paths.length < mostWays ? way : way.slice(0, 1);
        return paths.flatMap((path) => taken.map((it) => `${path}/${it}`));
      },
      [""],
    )
    .map((it) => it.slice(1));

const sentAround = (text: string): string =>
  text.replaceAll(/\{[^{}]*\}|[^{}]+/g, (it) => (it.startsWith("{") ? it : sent(it)));

/** The same shape first, then those that take more or less of a last segment. */
const likeShapes = (shape: string): string[] => {
  const end = /\{\*?\}$/.exec(shape)?.index;
  if (end === undefined) return [shape];
  return [shape, ...["{}", "{*}"].map((it) => shape.slice(0, end) + it)];
};

export const missing = (
  { source }: CheckedTier,
  filter: CheckedFilter,
  { name, settings }: CheckedRoute,
  method: string,
  file: string,
  operations: readonly Operation[],
): Problem => {
  const operation = askedBy(filter)?.operation;
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
  const asked = route.chain.flatMap((it) => askedBy(it) ?? []).at(-1);
  if (!asked) return undefined;
  const { document, operations } = documents(asked.openapi);
  const operation = finder(operations, mapOf(document.root), asked.operation)(route, method);
  return operation && { operation, document };
};

/** The document that a filter checks requests by, if that is what it goes by. */
const askedBy = ({ about, config }: CheckedFilter) => {
  const checking = about.checks?.(config);
  return checking?.openapi === undefined ? undefined : checking;
};
