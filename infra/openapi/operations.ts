/** The operations of an OpenAPI document, each with the parameters that its path has for all of them, and what of them cannot be read. */
import {
  DocumentError,
  isMap,
  type Json,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  resolved,
  stringIn,
} from "./document.ts";

/** As path items name them; 3.2 adds `query`, and others under `additionalOperations`. */
export const operationMethods = ["get", "head", "post", "put", "patch", "delete", "options", "trace", "query"] as const;

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
  /** Its path item, with what references of it name. */
  readonly item: JsonMap;
}

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly value: JsonMap;
}

/** Something of the document that nothing is made of. */
export interface Unread {
  /** `GET /accounts/{id}`. */
  readonly where: string;
  readonly what: string;
}

export interface Operations {
  readonly operations: readonly Operation[];
  readonly unread: readonly Unread[];
}

const mostOperations = 5000;

/** @throws DocumentError */
export const operationsOf = (document: OpenApi): readonly Operation[] => readOperations(document).operations;

/**
 * What cannot be read of one operation is listed and spoils no other one.
 * @throws DocumentError
 */
export const readOperations = (document: OpenApi): Operations => {
  const unread: Unread[] = [];
  const reader = readerOf(document, unread);
  const { paths = {} } = document.root;
  // OpenAPI has no reference here, and documents in several files have one.
  const operations = Object.entries(reader.mapAt(paths, "paths", "the map of paths") ?? {}).flatMap(([path, value]) =>
    path.startsWith("x-") ? [] : reader.operationsAt(path, value),
  );
  if (operations.length > mostOperations)
    throw new DocumentError(
      `${document.file} has ${operations.length} operations`,
      `${mostOperations} are taken at most; split it`,
    );
  return { operations, unread };
};

const itemWords = ["$ref", "summary", "description", "servers", "parameters", "additionalOperations"];
const operationWords = [
  ...["tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses"],
  ...["callbacks", "deprecated", "security", "servers", "$ref"],
];

const parameterWords = [
  ...["name", "in", "description", "summary", "required", "deprecated", "allowEmptyValue", "$ref"],
  ...["style", "explode", "allowReserved", "schema", "content", "example", "examples"],
];

const readerOf = (document: OpenApi, unread: Unread[]) => {
  const list = (where: string, what: string): void => void unread.push({ where, what });

  /** Undefined, and listed, where it leads nowhere or is no map. */
  const mapAt = (value: unknown, where: string, what: string): JsonMap | undefined => {
    try {
      const found = followed(document, value);
      if (isMap(found)) return found;
      list(where, `${what} cannot be read: it is no map`);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      list(where, `${what} cannot be read: ${withoutFile(error.message, document)}`);
    }
    return undefined;
  };

  const operationsAt = (path: string, value: unknown): Operation[] => {
    const item = mapAt(value, path, "the path item");
    if (!item) return [];
    for (const word of Object.keys(item))
      if (!itemWords.includes(word) && !isMethod(word) && !word.startsWith("x-"))
        list(path, `no path item has the word "${word}"`);
    const shared = parametersOf(item.parameters, path);
    const more =
      item.additionalOperations === undefined ? {} : mapAt(item.additionalOperations, path, "additionalOperations");
    const all = [
      ...operationMethods.flatMap((it) => (item[it] === undefined ? [] : [[it.toUpperCase(), item[it]] as const])),
      ...Object.entries(more ?? {}),
    ];
    return all.flatMap(([method, it]) => operationOf(path, item, method, it, shared));
  };

  const operationOf = (
    path: string,
    item: JsonMap,
    method: string,
    written: unknown,
    shared: readonly Parameter[],
  ): Operation[] => {
    const where = `${method} ${path}`;
    const value = mapAt(written, where, "the operation");
    if (!value) return [];
    for (const word of Object.keys(value))
      if (!operationWords.includes(word) && !word.startsWith("x-")) list(where, `no operation has the word "${word}"`);
    const own = parametersOf(value.parameters, where);
    const parameters = [...shared.filter((it) => !own.some((other) => isSame(it, other))), ...own];
    return [{ method, path, id: stringIn(value, "operationId"), parameters, body: bodyOf(value, where), value, item }];
  };

  const bodyOf = ({ requestBody }: JsonMap, where: string): JsonMap | undefined => {
    const body = requestBody === undefined ? undefined : mapAt(requestBody, where, "its body");
    if (body && Object.keys(mapOf(body.content)).length === 0)
      list(where, "its body is not checked: it has no media type");
    return body && { ...body, content: contentOf(body.content, where, "its body") };
  };

  const contentOf = (content: unknown, where: string, what: string): JsonMap =>
    Object.fromEntries(
      Object.entries(mapOf(content)).flatMap(([type, it]) => {
        const read = mapAt(it ?? {}, where, `${what} of ${type}`);
        for (const word of ["prefixEncoding", "itemEncoding"])
          if (read?.[word] !== undefined) list(where, `${word} of ${type} is not checked`);
        return read ? [[type, read]] : [];
      }),
    );

  const parametersOf = (value: unknown, where: string): Parameter[] => {
    if (value !== undefined && !Array.isArray(value)) list(where, "its parameters are no list");
    return listOf(value).flatMap((it, index) => {
      const named = isMap(it) && typeof it.$ref === "string" ? it.$ref : `number ${index + 1}`;
      const read = mapAt(it, where, `the parameter ${named}`);
      if (!read) return [];
      const [place, name] = [stringIn(read, "in"), stringIn(read, "name")];
      if (place === undefined || name === undefined) list(where, `the parameter ${named} has no name or no place`);
      else {
        for (const word of Object.keys(read))
          if (!parameterWords.includes(word) && !word.startsWith("x-"))
            list(where, `no parameter has the word "${word}": ${name} is not checked by it`);
        return [{ in: place, name, value: withContent(read, where, name) }];
      }
      return [];
    });
  };

  const withContent = (value: JsonMap, where: string, name: string): JsonMap =>
    value.content === undefined
      ? value
      : { ...value, content: contentOf(value.content, where, `the parameter ${name}`) };

  return { mapAt, operationsAt };
};

const isMethod = (word: string): boolean => (operationMethods as readonly string[]).includes(word);

/** Names of headers are alike in any case. */
const isSame = (a: Parameter, b: Parameter): boolean =>
  a.in === b.in && (a.name === b.name || (a.in === "header" && a.name.toLowerCase() === b.name.toLowerCase()));

/** What stands beside a reference counts too, ahead of what it names. */
const followed = (document: OpenApi, value: unknown): Json => {
  if (!isMap(value) || typeof value.$ref !== "string") return value as Json;
  const { $ref, ...beside } = value;
  const found = resolved(document, { $ref });
  return isMap(found) ? { ...found, ...beside } : found;
};

const withoutFile = (message: string, { file }: OpenApi): string =>
  message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;
