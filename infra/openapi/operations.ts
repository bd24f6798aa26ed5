/** Lists the operations of an OpenAPI document, with the parameters of their paths, and everything that cannot be read. */
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  resolveRefs,
  stringIn,
} from "./document.ts";

/** Methods of path items; 3.2 adds `query` and `additionalOperations`. */
export const operationMethods = ["get", "head", "post", "put", "patch", "delete", "options", "trace", "query"] as const;

export interface Operation {
  /** `GET`. */
  readonly method: string;
  /** The path in the document: `/accounts/{id}`. */
  readonly path: string;
  readonly id: string | undefined;
  readonly parameters: readonly Parameter[];
  /** The resolved request body; undefined if there is none. */
  readonly body: JsonMap | undefined;
  readonly value: JsonMap;
  /** Its resolved path item. */
  readonly item: JsonMap;
}

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly value: JsonMap;
}

/** A part of the document that cannot be read. */
export interface UnreadItem {
  /** `GET /accounts/{id}`. */
  readonly where: string;
  readonly what: string;
}

export interface OperationList {
  readonly operations: readonly Operation[];
  readonly unread: readonly UnreadItem[];
}

const maxOperations = 5000;

/** @throws DocumentError */
export const listOperations = (document: OpenApi): readonly Operation[] => readOperations(document).operations;

/**
 * Unreadable parts are listed, and do not affect other operations.
 * @throws DocumentError
 */
export const readOperations = (document: OpenApi): OperationList => {
  const unread: UnreadItem[] = [];
  const reader = createReader(document, unread);
  const { paths = {} } = document.root;
  // OpenAPI allows no reference here, but split documents use one.
  const operations = Object.entries(reader.mapAt(paths, "paths", "the map of paths") ?? {}).flatMap(([path, value]) =>
    path.startsWith("x-") ? [] : reader.operationsAt(path, value),
  );
  if (operations.length > maxOperations)
    throw new DocumentError(
      `${document.file} has ${operations.length} operations`,
      `${maxOperations} are taken at most; split it`,
    );
  return { operations, unread };
};

const pathItemKeywords = ["$ref", "summary", "description", "servers", "parameters", "additionalOperations"];
const operationKeywords = [
  ...["tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses"],
  ...["callbacks", "deprecated", "security", "servers", "$ref"],
];

const parameterKeywords = [
  ...["name", "in", "description", "summary", "required", "deprecated", "allowEmptyValue", "$ref"],
  ...["style", "explode", "allowReserved", "schema", "content", "example", "examples"],
];

const createReader = (document: OpenApi, unread: UnreadItem[]) => {
  const addUnread = (where: string, what: string): void => void unread.push({ where, what });

  /** Resolves a map; undefined, with a note, if it is broken or not a map. */
  const mapAt = (value: unknown, where: string, what: string): JsonMap | undefined => {
    try {
      const found = resolveWithSiblings(document, value);
      if (isMap(found)) return found;
      addUnread(where, `${what} cannot be read: it is no map`);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      addUnread(where, `${what} cannot be read: ${stripFile(error.message, document)}`);
    }
    return undefined;
  };

  const operationsAt = (path: string, value: unknown): Operation[] => {
    const item = mapAt(value, path, "the path item");
    if (!item) return [];
    for (const keyword of Object.keys(item))
      if (!pathItemKeywords.includes(keyword) && !isMethod(keyword) && !keyword.startsWith("x-"))
        addUnread(path, `no path item has the word "${keyword}"`);
    const sharedParameters = parametersOf(item.parameters, path);
    const more =
      item.additionalOperations === undefined ? {} : mapAt(item.additionalOperations, path, "additionalOperations");
    const all = [
      ...operationMethods.flatMap((it) => (item[it] === undefined ? [] : [[it.toUpperCase(), item[it]] as const])),
      ...Object.entries(more ?? {}),
    ];
    return all.flatMap(([method, it]) => operationOf(path, item, method, it, sharedParameters));
  };

  const operationOf = (
    path: string,
    item: JsonMap,
    method: string,
    operationValue: unknown,
    sharedParameters: readonly Parameter[],
  ): Operation[] => {
    const where = `${method} ${path}`;
    const value = mapAt(operationValue, where, "the operation");
    if (!value) return [];
    for (const keyword of Object.keys(value))
      if (!operationKeywords.includes(keyword) && !keyword.startsWith("x-"))
        addUnread(where, `no operation has the word "${keyword}"`);
    const ownParameters = parametersOf(value.parameters, where);
    const parameters = [
      ...sharedParameters.filter((it) => !ownParameters.some((other) => isSameParameter(it, other))),
      ...ownParameters,
    ];
    return [{ method, path, id: stringIn(value, "operationId"), parameters, body: bodyOf(value, where), value, item }];
  };

  const bodyOf = ({ requestBody }: JsonMap, where: string): JsonMap | undefined => {
    const body = requestBody === undefined ? undefined : mapAt(requestBody, where, "its body");
    if (body && Object.keys(mapOf(body.content)).length === 0)
      addUnread(where, "its body is not checked: it has no media type");
    return body && { ...body, content: contentOf(body.content, where, "its body") };
  };

  const contentOf = (content: unknown, where: string, what: string): JsonMap =>
    Object.fromEntries(
      Object.entries(mapOf(content)).flatMap(([type, it]) => {
        const read = mapAt(it ?? {}, where, `${what} of ${type}`);
        for (const keyword of ["prefixEncoding", "itemEncoding"])
          if (read?.[keyword] !== undefined) addUnread(where, `${keyword} of ${type} is not checked`);
        return read ? [[type, read]] : [];
      }),
    );

  const parametersOf = (value: unknown, where: string): Parameter[] => {
    if (value !== undefined && !Array.isArray(value)) addUnread(where, "its parameters are no list");
    return listOf(value).flatMap((it, index) => {
      const label = isMap(it) && typeof it.$ref === "string" ? it.$ref : `number ${index + 1}`;
      const read = mapAt(it, where, `the parameter ${label}`);
      if (!read) return [];
      const [place, name] = [stringIn(read, "in"), stringIn(read, "name")];
      if (place === undefined || name === undefined) addUnread(where, `the parameter ${label} has no name or no place`);
      else {
        for (const keyword of Object.keys(read))
          if (!parameterKeywords.includes(keyword) && !keyword.startsWith("x-"))
            addUnread(where, `no parameter has the word "${keyword}": ${name} is not checked by it`);
        return [{ in: place, name, value: resolveContent(read, where, name) }];
      }
      return [];
    });
  };

  const resolveContent = (value: JsonMap, where: string, name: string): JsonMap =>
    value.content === undefined
      ? value
      : { ...value, content: contentOf(value.content, where, `the parameter ${name}`) };

  return { mapAt, operationsAt };
};

const isMethod = (keyword: string): boolean => (operationMethods as readonly string[]).includes(keyword);

/** Whether two parameters are the same; header names are case-insensitive. */
const isSameParameter = (a: Parameter, b: Parameter): boolean =>
  a.in === b.in && (a.name === b.name || (a.in === "header" && a.name.toLowerCase() === b.name.toLowerCase()));

/** Resolves a reference; keywords beside it take precedence. */
const resolveWithSiblings = (document: OpenApi, value: unknown): Json => {
  if (!isMap(value) || typeof value.$ref !== "string") return value as Json;
  const { $ref, ...siblings } = value;
  const found = resolveRefs(document, { $ref });
  return isMap(found) ? { ...found, ...siblings } : found;
};

const stripFile = (message: string, { file }: OpenApi): string =>
  message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;
