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
  const reading: Reading = { document, unread };
  const { paths = {} } = document.root;
  // OpenAPI allows no reference here, but split documents use one.
  const operations = Object.entries(mapAt(reading, paths, "paths", "the map of paths") ?? {}).flatMap(
    ([path, value]) => (path.startsWith("x-") ? [] : operationsAt(reading, path, value)),
  );
  if (operations.length > maxOperations)
    throw new DocumentError(
      `${document.file} has ${operations.length} operations`,
      `${maxOperations} operations at most; split the document`,
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

/** The document, and where its unreadable parts are listed. */
interface Reading {
  readonly document: OpenApi;
  readonly unread: UnreadItem[];
}

const addUnread = ({ unread }: Reading, where: string, what: string): void => void unread.push({ where, what });

/** Resolves a map; undefined, with a note, if it is broken or not a map. */
const mapAt = (reading: Reading, value: unknown, where: string, what: string): JsonMap | undefined => {
  try {
    const found = resolveWithSiblings(reading.document, value);
    if (isMap(found)) return found;
    addUnread(reading, where, `${what} cannot be read: it is not a map`);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    addUnread(reading, where, `${what} cannot be read: ${stripFile(error.message, reading.document)}`);
  }
  return undefined;
};

const operationsAt = (reading: Reading, path: string, value: unknown): Operation[] => {
  const item = mapAt(reading, value, path, "the path item");
  if (!item) return [];
  for (const keyword of Object.keys(item))
    if (!pathItemKeywords.includes(keyword) && !isMethod(keyword) && !keyword.startsWith("x-"))
      addUnread(reading, path, `"${keyword}" is not a key of a path item`);
  const sharedParameters = parametersOf(reading, item.parameters, path);
  const more =
    item.additionalOperations === undefined
      ? {}
      : mapAt(reading, item.additionalOperations, path, "additionalOperations");
  const all = [
    ...operationMethods.flatMap((it) => (item[it] === undefined ? [] : [[it.toUpperCase(), item[it]] as const])),
    ...Object.entries(more ?? {}),
  ];
  return all.flatMap(([method, it]) => operationOf(reading, path, item, method, it, sharedParameters));
};

const operationOf = (
  reading: Reading,
  path: string,
  item: JsonMap,
  method: string,
  operationValue: unknown,
  sharedParameters: readonly Parameter[],
): Operation[] => {
  const where = `${method} ${path}`;
  const value = mapAt(reading, operationValue, where, "the operation");
  if (!value) return [];
  for (const keyword of Object.keys(value))
    if (!operationKeywords.includes(keyword) && !keyword.startsWith("x-"))
      addUnread(reading, where, `"${keyword}" is not a key of an operation`);
  const ownParameters = parametersOf(reading, value.parameters, where);
  const parameters = [
    ...sharedParameters.filter((it) => !ownParameters.some((other) => isSameParameter(it, other))),
    ...ownParameters,
  ];
  return [
    { method, path, id: stringIn(value, "operationId"), parameters, body: bodyOf(reading, value, where), value, item },
  ];
};

const bodyOf = (reading: Reading, { requestBody }: JsonMap, where: string): JsonMap | undefined => {
  const body = requestBody === undefined ? undefined : mapAt(reading, requestBody, where, "its body");
  if (body && Object.keys(mapOf(body.content)).length === 0)
    addUnread(reading, where, "its body is not checked: it has no media type");
  return body && { ...body, content: contentOf(reading, body.content, where, "its body") };
};

const contentOf = (reading: Reading, content: unknown, where: string, what: string): JsonMap =>
  Object.fromEntries(
    Object.entries(mapOf(content)).flatMap(([type, it]) => {
      const read = mapAt(reading, it ?? {}, where, `${what} of ${type}`);
      for (const keyword of ["prefixEncoding", "itemEncoding"])
        if (read?.[keyword] !== undefined) addUnread(reading, where, `${keyword} of ${type} is not checked`);
      return read ? [[type, read]] : [];
    }),
  );

const parametersOf = (reading: Reading, value: unknown, where: string): Parameter[] => {
  if (value !== undefined && !Array.isArray(value)) addUnread(reading, where, "its parameters are not a list");
  return listOf(value).flatMap((it, index) => {
    const label = isMap(it) && typeof it.$ref === "string" ? it.$ref : `number ${index + 1}`;
    const read = mapAt(reading, it, where, `the parameter ${label}`);
    if (!read) return [];
    const [place, name] = [stringIn(read, "in"), stringIn(read, "name")];
    if (place === undefined || name === undefined)
      addUnread(reading, where, `the parameter ${label} has no name or no \`in\``);
    else {
      for (const keyword of Object.keys(read))
        if (!parameterKeywords.includes(keyword) && !keyword.startsWith("x-"))
          addUnread(reading, where, `"${keyword}" is not a key of a parameter: it does not apply to ${name}`);
      return [{ in: place, name, value: resolveContent(reading, read, where, name) }];
    }
    return [];
  });
};

const resolveContent = (reading: Reading, value: JsonMap, where: string, name: string): JsonMap =>
  value.content === undefined
    ? value
    : { ...value, content: contentOf(reading, value.content, where, `the parameter ${name}`) };

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
