/** The text of an imported manifest: small, and written as a person would. */
import { stringify } from "yaml";
import { mapOf, type OpenApi, stringIn } from "../../../openapi/document.ts";
import type { Operation } from "../../../openapi/operations.ts";
import { type Gap, gapComments, oneLine } from "../imported.ts";
import type { Secured } from "./security.ts";

export interface Draft {
  readonly document: OpenApi;
  readonly tier: string;
  readonly host: string;
  readonly base: string;
  readonly secured: Secured;
  /** Names by URL. */
  readonly upstreams: ReadonlyMap<string, string>;
  readonly routes: readonly DraftRoute[];
  readonly gaps: readonly Gap[];
  /** The document, from `routes/`. */
  readonly kept: string;
}

export interface DraftRoute {
  readonly name: string;
  readonly operation: Operation;
  readonly match: string;
  /** Where the upstream is asked for another path than the client asks for. */
  readonly target: string | undefined;
  readonly to: string;
  /** Drops the filter of identity. */
  readonly open: boolean;
  /** Drops `validate`. */
  readonly unchecked: boolean;
}

export const manifestText = (draft: Draft): string => {
  const { document, tier, host, base, secured, upstreams, routes, gaps, kept } = draft;
  const title = oneLine(stringIn(mapOf(document.root.info), "title") ?? "");
  const lines = [
    "# yaml-language-server: $schema=./manifest.schema.json",
    `# Imported from an OpenAPI ${document.version} document.`,
    ...gapComments(gaps),
    "api: postern/v1",
    `tier: ${tier}`,
    ...(title === "" ? [] : [`summary: ${scalar(title)}`]),
    "",
    `hosts: [${/^[\w.-]+$/.test(host) ? host : JSON.stringify(host)}]`,
    ...(base === "/" ? [] : [`base: ${base}`]),
    "",
    "filters:",
    ...(secured.filter ? [`  - ${secured.filter.line}`] : []),
    "  - body-limit: 1MiB",
    `  - validate: { openapi: ${kept} }`,
    "",
    "upstreams:",
    ...[...upstreams].map(([url, name]) => `  ${name}: { http: ${JSON.stringify(url)} }`),
    "",
    "routes:",
    ...routes.flatMap((it) => routeLines(it, secured)),
  ];
  return `${lines.join("\n")}\n`;
};

const routeLines = (
  { name, match, target, to, open, unchecked, operation }: DraftRoute,
  { filter }: Secured,
): string[] => [
  `  ${name}:`,
  `    match: ${scalar(match)}`,
  `    to: ${to}`,
  ...(target === undefined ? [] : [`    path: ${scalar(target)}`]),
  ...dropped([...(open && filter ? [filter.id] : []), ...(unchecked ? ["validate"] : [])]),
  ...(operation.value.deprecated === true ? ["    deprecated: {}"] : []),
];

const dropped = (ids: readonly string[]): string[] => (ids.length === 0 ? [] : [`    without: [${ids.join(", ")}]`]);

/** Quoted only where YAML would read something else. */
const scalar = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();
