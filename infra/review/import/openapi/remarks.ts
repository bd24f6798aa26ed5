/** Lists what a document has besides operations and a manifest cannot express: servers, webhooks, extensions. */
import {
  DocumentError,
  type JsonMap,
  listOf,
  mapOf,
  type OpenApi,
  resolveRefs,
  stringIn,
} from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import type { Gap } from "../imported.ts";
import { firstServer } from "./servers.ts";

const rootKeywords = [
  ...[
    "openapi",
    "$self",
    "info",
    "jsonSchemaDialect",
    "servers",
    "paths",
    "webhooks",
    "components",
    "security",
    "tags",
  ],
  "externalDocs",
];
const componentKeywords = [
  ...["schemas", "responses", "parameters", "examples", "requestBodies", "headers", "securitySchemes", "links"],
  ...["callbacks", "pathItems", "mediaTypes"],
];

const behavioralGap = (where: string, what: string): Gap => ({ kind: "otherwise", where, what });

/** @param base from the command line, if given */
export const documentGaps = (document: OpenApi, operations: readonly Operation[], base: string | undefined): Gap[] => {
  const { root, version } = document;
  const webhooks = Object.keys(mapOf(root.webhooks)).length;
  return [
    ...serverNotes(root, base),
    ...(webhooks > 0
      ? [behavioralGap("webhooks", `calls of the service's own do not come by here (${webhooks})`)]
      : []),
    ...(stringIn(root, "jsonSchemaDialect")?.includes("2020-12") === false && !version.startsWith("3.0")
      ? [behavioralGap("jsonSchemaDialect", "schemas are read as JSON Schema 2020-12")]
      : []),
    ...unknownKeys(root, rootKeywords).map((it) => behavioralGap(it, "no document has this word")),
    ...unknownKeys(resolveMap(document, root.components), componentKeywords).map((it) =>
      behavioralGap(`components/${it}`, "it is not a kind of component"),
    ),
    ...unreadExtensions(document, operations).map((it) => behavioralGap(it, "extensions are not read")),
  ];
};

/** The target of a reference; undefined if it is broken, which is listed where it is read. */
const resolveMap = (document: OpenApi, value: unknown): JsonMap => {
  try {
    return mapOf(resolveRefs(document, value));
  } catch (error) {
    if (error instanceof DocumentError) return {};
    throw error;
  }
};

const unknownKeys = (value: JsonMap, knownKeys: readonly string[]): string[] =>
  Object.keys(value).filter((it) => !it.startsWith("x-") && !knownKeys.includes(it));

const serverNotes = (root: JsonMap, base: string | undefined): Gap[] => {
  const servers = listOf(root.servers);
  const { text, variables } = firstServer(root);
  return [
    ...(servers.length > 1 ? [`the first of ${servers.length} is the upstream`] : []),
    ...variables.map(({ name, value }) =>
      value === undefined
        ? `{${name}} has no default, so the URL is unknown: give --upstream and --base`
        : `{${name}} is taken for its default, ${JSON.stringify(value)}`,
    ),
    ...(isAbsolute(text) || variables.some((it) => it.value === undefined) || base !== undefined
      ? []
      : relativeServerNote(text)),
  ].map((it) => behavioralGap("servers", it));
};

const isAbsolute = (url: string): boolean => url === "" || url === "/" || /^[a-z][a-z0-9+.-]*:\/\//i.test(url);

const relativeServerNote = (url: string): string[] => {
  const remedy = /^\/(?!\/)/.test(url) ? `; --base ${url} puts it in front of them` : "";
  return [`${url} is not a whole URL, so paths stay as they are${remedy}`];
};

/** Extensions that the importer itself reads or writes. */
const knownExtensions = ["x-multi-segment", "x-files"];

/** The extensions of the document, its path items, operations and parameters. */
const unreadExtensions = (document: OpenApi, operations: readonly Operation[]): string[] => {
  const { root } = document;
  const objects = [
    root,
    resolveMap(document, root.paths),
    ...operations.flatMap(({ item, value, parameters }) => [item, value, ...parameters.map((it) => it.value)]),
  ];
  const names = objects.flatMap((it) => Object.keys(it).filter((key) => key.startsWith("x-")));
  return [...new Set(names)].filter((it) => !knownExtensions.includes(it)).toSorted();
};
