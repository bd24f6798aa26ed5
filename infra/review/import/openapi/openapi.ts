/** Imports an OpenAPI document as a tier: a route for each operation, validated by the document. */
import path from "node:path";
import { hasDuplicateKeys } from "../../../../functions/gateway/http/duplicate-keys.ts";
import { joinPath, methods, parsePath } from "../../../../functions/gateway/routing/match.ts";
import { environment } from "../../../../functions/manifest/environment.ts";
import { name } from "../../../../functions/manifest/names.ts";
import { environmentNames, readEnvironment } from "../../../compiler/check/shared-files.ts";
import {
  DocumentError,
  isJsonText,
  listOf,
  type OpenApi,
  parseDocument,
  readTextFile,
} from "../../../openapi/document.ts";
import { type Operation, readOperations } from "../../../openapi/operations.ts";
import { type Gap, gapLines, type ImportResult } from "../imported.ts";
import { bundleDocument } from "./bundle.ts";
import { checkDraftRoutes } from "./checked.ts";
import { type RouteDraft, renderManifest, type TierDraft, urlValue } from "./manifest.ts";
import { createUniqueNames, toKebabCase } from "./names.ts";
import { type MatchedPath, matchPath } from "./paths.ts";
import { documentGaps } from "./remarks.ts";
import { type SecurityResult, translateSecurity } from "./security.ts";
import { createUpstreamNames, firstServerUrl, serverPath } from "./servers.ts";

export interface OpenApiImportOptions {
  readonly tier?: string | undefined;
  readonly host?: string | undefined;
  readonly base?: string | undefined;
  readonly upstream?: string | undefined;
  /** Writes URLs of upstreams as values of the environment. */
  readonly urlsAreValues?: boolean;
}

export interface OpenApiImport extends ImportResult {
  /** URLs of upstreams by their value's name. */
  readonly values: Readonly<Record<string, string>>;
}

/** @throws if the document cannot be read, neither it nor the options name its host and server, or no route can be made */
export const importOpenApi = (file: string, root: string, options: OpenApiImportOptions): OpenApiImport => {
  const text = readTextFile(path.resolve(file), file);
  const { document, files } = bundleDocument(parseDocument(text, file));
  const { operations, unread } = readOperations(document);
  const tier = tierName(file, options);
  const hostService = hostAndService(document, options);
  const security = translateSecurity(document, operations, tier, hasConsumersNamespace(root));
  const drafted = draftRoutes(document, operations, hostService, security);
  const { routes, gaps: checkGaps } = checkDraftRoutes(document, drafted.routes);
  const unreadGaps = [...unread, ...duplicateKeyGap(text, file)].map((it): Gap => ({ kind: "left-out", ...it }));
  const all = [
    ...security.gaps,
    ...documentGaps(document, operations, options.base),
    ...unreadGaps,
    ...drafted.gaps,
    ...checkGaps,
  ];
  if (routes.length === 0) throw noRoutesError(document, all);
  const documentPath = documentPathFor(file, root, files > 0 || isJsonText(text), files > 0);
  const draft: TierDraft = {
    document,
    tier,
    ...hostService,
    security,
    upstreams: drafted.upstreams,
    urlsAreValues: options.urlsAreValues === true,
    routes,
    gaps: all,
    documentPath,
  };
  return {
    files: [
      { file: `routes/${tier}.yaml`, text: renderManifest(draft) },
      { file: `routes/${documentPath}`, text: files > 0 ? `${JSON.stringify(document.root, null, 2)}\n` : text },
    ],
    routes: routes.length,
    gaps: all,
    values: Object.fromEntries([...drafted.upstreams].map(([url, name]) => [urlValue(name), url])),
  };
};

const noRoutesError = ({ file, root }: OpenApi, gaps: readonly Gap[]): DocumentError => {
  const leftOut = gapLines(gaps.filter(({ kind }) => kind === "left-out"));
  const webhooks = root.webhooks === undefined ? "" : "; webhooks are calls of the service's own";
  const message =
    leftOut.length === 0
      ? `${file} has no operation in \`paths\`${webhooks}`
      : `of ${file} no route can be made: ${leftOut.slice(0, 5).join("; ")}`;
  return new DocumentError(
    message,
    "give a document whose `paths` have operations that clients call; nothing was written",
  );
};

/** YAML refuses duplicate keys, and JSON takes the last one (RFC 8259, section 4). */
const duplicateKeyGap = (text: string, file: string) =>
  isJsonText(text) && hasDuplicateKeys(text)
    ? [{ where: file, what: "an object has a duplicate key; the last one is read" }]
    : [];

/** The document's path in the project: unchanged if it is in `routes/` already. */
const documentPathFor = (file: string, root: string, isJson: boolean, isBundled: boolean): string => {
  const within = path.relative(path.join(root, "routes"), path.resolve(file)).replaceAll(path.sep, "/");
  const stem = toFileName(path.basename(file).replace(/(?:\.bundled)?\.\w+$/, ""));
  if (isBundled) return `openapi/${stem}.bundled.json`;
  if (within.startsWith("openapi/")) return within;
  const ownServer = path.basename(file);
  return `openapi/${/^[\w-][\w.-]*\.(?:json|ya?ml)$/.test(ownServer) ? ownServer : `${stem}.${isJson ? "json" : "yaml"}`}`;
};

/** A file name that a manifest can refer to: `Shop API (v2)` becomes `Shop-API-v2`. */
const toFileName = (stem: string): string => stem.replaceAll(/[^\w.-]+/g, "-").replace(/^\.+|-+$/g, "") || "openapi";

const tierName = (file: string, { tier }: OpenApiImportOptions): string => {
  const wanted = tier ?? toKebabCase(path.basename(file).replace(/\.(?:openapi\.)?(?:json|ya?ml)$/, "")) ?? "";
  const read = name().safeParse(wanted);
  if (!read.success) throw new Error(`"${wanted}" is not a valid tier name; give one: --tier shop`);
  return read.data;
};

const hostAndService = ({ root, file }: OpenApi, { host, base, upstream }: OpenApiImportOptions) => {
  const server = firstServerUrl(root);
  const service = upstream === undefined ? server : URL.canParse(upstream) ? new URL(upstream) : undefined;
  if (!service)
    throw new Error(
      upstream === undefined
        ? `${file} names no server by a whole URL; say where the service is: --upstream https://shop.internal`
        : `"${upstream}" is not a URL; write --upstream https://shop.internal`,
    );
  const servedHost = host ?? server?.hostname;
  if (servedHost === undefined) throw new Error(`${file} names no server; give its host: --host api.acme.example`);
  if (servedHost === service.host)
    throw new Error(
      `the service would be behind ${servedHost} and at ${servedHost}; give --host, where clients find it, or --upstream, where the gate does`,
    );
  return { host: servedHost, base: base ?? (server ? serverPath(server) : "/"), service };
};

/** Whether every environment has the namespace for API keys. */
const hasConsumersNamespace = (root: string): boolean => {
  const before = { environment: { name: "", file: "", value: environment().parse({}) }, consumers: [] };
  const names = environmentNames(root);
  return names.length > 0 && names.every((it) => readEnvironment(root, it, before).environment.value.kv.consumers);
};

const draftRoutes = (
  document: OpenApi,
  operations: readonly Operation[],
  { base, service }: ReturnType<typeof hostAndService>,
  { isOpen, whyUnread }: SecurityResult,
) => {
  const nameOf = createUniqueNames();
  const upstreams = createUpstreamNames();
  const gaps: Gap[] = [];
  const ownersByShape = new Map<string, string>();
  const documentServer = firstServerUrl(document.root);
  const routes = operations.flatMap((operation): RouteDraft[] => {
    const where = `${operation.method} ${operation.path}`;
    const securityProblem = whyUnread(operation);
    const matched =
      securityProblem === undefined
        ? toMatch(operation, base)
        : `its security cannot be read: ${securityProblem}; without it the route would be open to all`;
    if (typeof matched === "string") {
      gaps.push({ kind: "left-out", where, what: matched });
      return [];
    }
    const key = `${operation.method} ${matchShape(matched.match)}`;
    const owner = ownersByShape.get(key);
    if (owner !== undefined) {
      gaps.push({
        kind: "left-out",
        where,
        what: `the route ${owner} takes its requests; no match tells the two apart`,
      });
      return [];
    }
    gaps.push(...matched.looserNotes.map((what) => ({ kind: "otherwise" as const, where, what })));
    gaps.push(...callbackGaps(operation).map((what) => ({ kind: "otherwise" as const, where, what })));
    const baseName = toKebabCase(operation.id ?? "") ?? toKebabCase(where) ?? "route";
    const routeName = nameOf(baseName);
    ownersByShape.set(key, routeName);
    const ownServer = firstServerUrl(operation.value) ?? firstServerUrl(operation.item);
    const servedHost = listOf(operation.value.servers ?? operation.item.servers).length;
    if (servedHost > 0 && !ownServer)
      gaps.push({ kind: "otherwise", where, what: "its server is not a whole URL; the document's is the upstream" });
    if (servedHost > 1)
      gaps.push({ kind: "otherwise", where, what: `the first of its ${servedHost} servers is the upstream` });
    const url = ownServer && ownServer.href !== documentServer?.href ? ownServer : service;
    const isSame = serverPath(url) === base;
    return [
      {
        name: routeName,
        operation,
        match: `${operation.method} ${matched.match}`,
        target: isSame ? undefined : matched.target,
        to: upstreams.nameOf(isSame || serverPath(url) === "/" ? url.origin : url.origin + serverPath(url)),
        isOpen: isOpen(operation),
        isUnchecked: false,
      },
    ];
  });
  return { routes, upstreams: upstreams.all(), gaps };
};

/** A match, or why there is none. */
const toMatch = (operation: Operation, base: string): MatchedPath | string => {
  const { method, path: documentServer } = operation;
  if (method === "TRACE") return "no gateway passes TRACE on";
  if (method === "ANY" || !(methods as readonly string[]).includes(method)) return `no match has the method ${method}`;
  if (!documentServer.startsWith("/")) return "a path begins with /";
  if (documentServer.includes("#")) return "a fragment (#) is not part of a request";
  if (documentServer.includes("?"))
    return "a query is not part of a path: write a route with a condition, when: { query: … }";
  try {
    const matched = matchPath(operation, base);
    parsePath(joinPath(base, matched.match));
    return matched;
  } catch (error) {
    return `no match can express this path: ${(error as Error).message}`;
  }
};

/** What distinguishes routes in the router: names of captures do not. */
const matchShape = (match: string): string =>
  JSON.stringify(
    parsePath(match).map((it) => {
      if (it.kind === "literal") return it.text;
      return it.kind === "mixed" ? it.template : [it.kind, it.kind === "capture" ? (it.pattern ?? "") : ""];
    }),
  );

const callbackGaps = ({ value }: Operation): string[] =>
  value.callbacks === undefined ? [] : ["callbacks are calls of the service's own; they do not come by here"];
