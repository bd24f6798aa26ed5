/** Finds the OpenAPI operation that validates a route. */
import { type PathSegment, parseMatch, parsePath, templateOf } from "../../../functions/gateway/routing/match.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { choice } from "../../diagnostics/schema-issues.ts";
import { type JsonMap, listOf, mapOf, type OpenApi, stringIn } from "../../openapi/document.ts";
import type { Operation } from "../../openapi/operations.ts";
import { encodePath, isMultiSegment } from "../../openapi/paths.ts";
import type { DocumentLoader } from "../inputs/documents.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../model/checked.ts";

/** Finds a route's operation by its own path, by the path with the tier's base, or by the operation id that the filter names. */
export const operationFinder = (operations: readonly Operation[], root: JsonMap, operationId: string | undefined) => {
  // Of several with the same shape, the most specific one comes last and wins.
  const byPath = new Map(
    [true, false].flatMap((takesWhole) =>
      operations.flatMap((it) => shapesOf(it, takesWhole).map((path) => [`${it.method} ${path}`, it] as const)),
    ),
  );
  const serverPrefix = serverPath(root);
  return ({ methods, segments, settings }: CheckedRoute, method: string): Operation | undefined => {
    if (operationId !== undefined) return operations.find((it) => it.id === operationId && methods.includes(it.method));
    const full = shapeOf(segments);
    const shapes = [shapeOf(parsePath(parseMatch(settings.match).path)), full];
    if (full.startsWith(`${serverPrefix}/`)) shapes.push(full.slice(serverPrefix.length));
    const candidates = method === "HEAD" ? ["HEAD", "GET"] : [method];
    return candidates
      .flatMap((it) => shapes.flatMap(alternativeShapes).flatMap((shape) => byPath.get(`${it} ${shape}`) ?? []))
      .at(0);
  };
};

const serverPath = (root: JsonMap): string => {
  const url = stringIn(mapOf(listOf(root.servers)[0]), "url") ?? "";
  const path = URL.canParse(url, "https://any.example") ? new URL(url, "https://any.example").pathname : "/";
  return path.replace(/\/+$/, "");
};

/** OpenAPI may use other names for captures, so only their positions are compared. */
const shapeOf = (segments: readonly PathSegment[]): string =>
  `/${segments.map((it) => (it.kind === "rest" ? "{*}" : eraseNames(templateOf(it)))).join("/")}`;

/** `{id}:cancel` as `{}:cancel`. */
const eraseNames = (text: string): string => text.replaceAll(/\{[^{}]*\}/g, "{}");

/**
 * In a document the last parameter may span several segments, and a route may capture a whole segment that has several parameters there.
 * @param takesWhole whether some segment is taken so
 */
const shapesOf = (operation: Operation, takesWhole: boolean): string[] => {
  const texts = operation.path.split("/");
  const alternatives = texts.map((text, index): string[] => {
    const [, name] = /^\{([^{}]+)\}$/.exec(text) ?? [];
    if (name !== undefined) return [index === texts.length - 1 && isMultiSegment(name, operation) ? "{*}" : "{}"];
    return text.includes("{") ? [eraseNames(encodeLiterals(text)), "{}"] : [encodePath(text)];
  });
  const [exact = "", ...others] = combine(alternatives);
  // Shapes with fewer whole segments take precedence.
  return takesWhole ? others.toReversed() : [exact];
};

/** Of one document's path. */
const maxShapes = 16;

/** All combinations of alternatives; beyond the limit, each segment is used as written. */
const combine = (alternatives: readonly (readonly string[])[]): string[] =>
  alternatives
    .reduce<string[]>(
      (paths, alternative) => {
        const options = paths.length < maxShapes ? alternative : alternative.slice(0, 1);
        return paths.flatMap((path) => options.map((it) => `${path}/${it}`));
      },
      [""],
    )
    .map((it) => it.slice(1));

const encodeLiterals = (text: string): string =>
  text.replaceAll(/\{[^{}]*\}|[^{}]+/g, (it) => (it.startsWith("{") ? it : encodePath(it)));

/** The same shape first, then those with a shorter or longer last segment. */
const alternativeShapes = (shape: string): string[] => {
  const end = /\{\*?\}$/.exec(shape)?.index;
  if (end === undefined) return [shape];
  return [shape, ...["{}", "{*}"].map((it) => shape.slice(0, end) + it)];
};

export const missingOperation = (
  { source }: CheckedTier,
  filter: CheckedFilter,
  { name, settings }: CheckedRoute,
  method: string,
  file: string,
  operations: readonly Operation[],
): Problem => {
  const operation = openApiCheck(filter)?.operation;
  const fullPath = parseMatch(settings.match).path;
  const lines = operations.flatMap((it) => (operation === undefined ? `${it.method} ${it.path}` : (it.id ?? [])));
  const message =
    method === "ANY"
      ? `${filter.use} checks ${name} by operations, and ANY is not one`
      : operation === undefined
        ? `${file} has no operation ${method} ${fullPath}`
        : `${file} has no operation "${operation}" for ${method}`;
  const remedy =
    method === "ANY"
      ? "name the methods that the document has: GET,POST"
      : (choice(operation ?? `${method} ${fullPath}`, lines) ??
        `drop it here: without: [${filter.id}]; or name the operation in a filter of the route`);
  const related = [filter.source.related(filter.entry, `${filter.use} is here`)];
  return source.problem(["routes", name, "match"], "operation-missing", message, { remedy, related });
};

/** The operation that validates a route for a method, by the last filter that validates. */
export const operationOf = (
  route: CheckedRoute,
  method: string,
  documents: DocumentLoader,
): { readonly operation: Operation; readonly document: OpenApi } | undefined => {
  const check = route.chain.flatMap((it) => openApiCheck(it) ?? []).at(-1);
  if (!check) return undefined;
  const { document, operations } = documents(check.openapi);
  const operation = operationFinder(operations, mapOf(document.root), check.operation)(route, method);
  return operation && { operation, document };
};

/** The OpenAPI check of a filter, if it has one. */
const openApiCheck = ({ spec, config }: CheckedFilter) => {
  const checking = spec.checks?.(config);
  return checking?.openapi === undefined ? undefined : checking;
};
