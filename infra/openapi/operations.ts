/** The operations of an OpenAPI document, each with the parameters that its path has for all of them. */
import { DocumentError, isMap, type JsonMap, listOf, mapOf, type OpenApi, resolved, stringIn } from "./document.ts";

export const operationMethods = ["get", "head", "post", "put", "patch", "delete", "options", "trace"] as const;

export interface Operation {
  /** `GET`. */
  readonly method: string;
  /** As the document has it: `/accounts/{id}`. */
  readonly path: string;
  readonly id: string | undefined;
  readonly parameters: readonly Parameter[];
  /** Resolved; undefined where it takes none. */
  readonly body: JsonMap | undefined;
  readonly value: JsonMap;
}

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly value: JsonMap;
}

const mostOperations = 5000;

/** @throws DocumentError */
export const operationsOf = (document: OpenApi): Operation[] => {
  const operations = Object.entries(mapOf(document.root.paths)).flatMap(([path, value]) => {
    if (path.startsWith("x-")) return [];
    const item = mapOf(resolved(document, value));
    return operationMethods.flatMap((method) =>
      isMap(item[method]) ? [operationOf(document, path, item, method)] : [],
    );
  });
  if (operations.length > mostOperations)
    throw new DocumentError(
      `${document.file} has ${operations.length} operations`,
      `${mostOperations} are taken at most; split it`,
    );
  return operations;
};

const operationOf = (document: OpenApi, path: string, item: JsonMap, method: string): Operation => {
  const value = mapOf(item[method]);
  const own = parametersOf(document, value);
  const shared = parametersOf(document, item).filter((it) => !own.some((other) => isSame(it, other)));
  return {
    method: method.toUpperCase(),
    path,
    id: stringIn(value, "operationId"),
    parameters: [...shared, ...own],
    body: value.requestBody === undefined ? undefined : mapOf(resolved(document, value.requestBody)),
    value,
  };
};

const isSame = (a: Parameter, b: Parameter): boolean => a.in === b.in && a.name === b.name;

const parametersOf = (document: OpenApi, value: JsonMap): Parameter[] =>
  listOf(value.parameters).flatMap((it) => {
    const parameter = mapOf(resolved(document, it));
    const [place, name] = [stringIn(parameter, "in"), stringIn(parameter, "name")];
    return place === undefined || name === undefined ? [] : [{ in: place, name, value: parameter }];
  });
