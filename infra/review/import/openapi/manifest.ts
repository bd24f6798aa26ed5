/** Renders the manifest of an imported OpenAPI document. */
import { stringify } from "yaml";
import { mapOf, type OpenApi, stringIn } from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import { type Gap, gapComments, oneLine } from "../imported.ts";
import type { SecurityResult } from "./security.ts";

export interface TierDraft {
  readonly document: OpenApi;
  readonly tier: string;
  readonly host: string;
  readonly base: string;
  readonly security: SecurityResult;
  /** Names by URL. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** Writes the URL of an upstream as a value of the environment: `${shop-url}`. */
  readonly urlsAreValues: boolean;
  readonly routes: readonly RouteDraft[];
  readonly gaps: readonly Gap[];
  /** The document, from `routes/`. */
  readonly documentPath: string;
}

export interface RouteDraft {
  readonly name: string;
  readonly operation: Operation;
  readonly match: string;
  /** The upstream's path, if it differs from the client's. */
  readonly target: string | undefined;
  readonly to: string;
  /** Drops the identity filter. */
  readonly isOpen: boolean;
  /** Drops `validate`. */
  readonly isUnchecked: boolean;
}

export const renderManifest = (draft: TierDraft): string => {
  const { document, tier, host, base, security, upstreams, urlsAreValues, routes, gaps, documentPath } = draft;
  // The service's paths have no base, so no route has to say its own.
  const stripsBase = base !== "/" && routes.length > 0 && routes.every(({ target }) => target !== undefined);
  const title = oneLine(stringIn(mapOf(document.root.info), "title") ?? "");
  const lines = [
    "# yaml-language-server: $schema=./manifest.schema.json",
    `# Imported from an OpenAPI ${document.version} document.`,
    ...gapComments(gaps),
    "api: postern/v1",
    `tier: ${tier}`,
    ...(title === "" ? [] : [`summary: ${toScalar(title)}`]),
    "",
    `hosts: [${/^[\w.-]+$/.test(host) ? host : JSON.stringify(host)}]`,
    ...(base === "/" ? [] : [stripsBase ? `base: { path: ${base}, strip: true }` : `base: ${base}`]),
    "",
    "filters:",
    ...(security.filter ? [`  - ${security.filter.line}`] : []),
    "  - body-limit: 1MiB",
    `  - validate: { openapi: ${documentPath} }`,
    "",
    "upstreams:",
    ...[...upstreams].map(([url, name]) => {
      const target = urlsAreValues ? `\${${urlValue(name)}}` : url;
      return `  ${name}: { http: ${JSON.stringify(target)} }`;
    }),
    "",
    "routes:",
    ...routes.flatMap((it) => renderRoute(stripsBase ? { ...it, target: undefined } : it, security)),
  ];
  return `${lines.join("\n")}\n`;
};

/** The name of the environment's value with an upstream's URL. */
export const urlValue = (upstream: string): string => `${upstream}-url`;

const renderRoute = (
  { name, match, target, to, isOpen, isUnchecked, operation }: RouteDraft,
  { filter }: SecurityResult,
): string[] => [
  `  ${name}:`,
  `    match: ${toScalar(match)}`,
  `    to: ${to}`,
  ...(target === undefined ? [] : [`    path: ${toScalar(target)}`]),
  ...renderWithout([...(isOpen && filter ? [filter.id] : []), ...(isUnchecked ? ["validate"] : [])]),
  ...(operation.value.deprecated === true ? ["    deprecated: {}"] : []),
];

const renderWithout = (ids: readonly string[]): string[] =>
  ids.length === 0 ? [] : [`    without: [${ids.join(", ")}]`];

/** Quotes a text only if YAML would read it as something else. */
const toScalar = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();
