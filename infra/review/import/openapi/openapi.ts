/** Makes a tier of an OpenAPI document: a route for each operation, requests validated by the document itself. */
import path from "node:path";
import { environment } from "../../../../functions/gateway/environment.ts";
import { joined, matchOf, segmentsOf } from "../../../../functions/gateway/match.ts";
import { name } from "../../../../functions/gateway/names.ts";
import { environmentNames, readEnvironment } from "../../../compiler/surroundings.ts";
import { planOf } from "../../../openapi/checks.ts";
import { DocumentError, documentOf, type OpenApi, stringIn, textOf } from "../../../openapi/document.ts";
import { type Operation, operationsOf } from "../../../openapi/operations.ts";
import { heldBy } from "../../../openapi/references.ts";
import { translator } from "../../../openapi/schemas.ts";
import type { Gap, Imported } from "../imported.ts";
import { type Draft, type DraftRoute, manifestText } from "./manifest.ts";
import { distinct, kebab } from "./names.ts";
import { type Matched, matchedPath } from "./paths.ts";
import { securedBy } from "./security.ts";
import { pathOfServer, serverOf, upstreamNames } from "./servers.ts";

export interface Choice {
  readonly tier?: string | undefined;
  readonly host?: string | undefined;
  readonly base?: string | undefined;
  readonly upstream?: string | undefined;
}

/** @throws where it cannot be read, or what it does not say was not said beside it */
export const importOpenApi = (file: string, root: string, choice: Choice): Imported => {
  const text = textOf(path.resolve(file), file);
  const document = documentOf(text, file);
  const operations = operationsOf(document);
  const tier = tierOf(file, choice);
  const place = placeOf(document, choice);
  const secured = securedBy(document, operations, tier, keysAreKept(root));
  const { routes, upstreams, gaps } = routesOf(document, operations, place, secured.open);
  const all = [...secured.gaps, ...beside(document), ...gaps, ...unchecked(document, routes)];
  const kept = keptAs(file, root);
  const draft: Draft = { document, tier, ...place, secured, upstreams, routes, gaps: all, kept };
  return {
    files: [
      { file: `routes/${tier}.yaml`, text: manifestText(draft) },
      { file: `routes/${kept}`, text },
    ],
    routes: routes.length,
    gaps: all,
  };
};

/** What `validate` does not check of what the document says. */
const unchecked = (document: OpenApi, routes: readonly DraftRoute[]): Gap[] => {
  const held = heldBy(document);
  const { schema, note, notes } = translator(() => held);
  for (const { operation, match } of routes)
    try {
      const segments = segmentsOf(matchOf(match).path);
      planOf(document, operation, segments, (value, name) => schema(value, { document: held, path: [], name }), note);
    } catch (error) {
      // The check of the manifest says so, where it stands.
      if (!(error instanceof DocumentError)) throw error;
    }
  return notes().map((it) => ({ kind: "left-out", ...it }));
};

/** Where the document stands from then on: where it is, if that is in the project's `routes/`. */
const keptAs = (file: string, root: string): string => {
  const within = path.relative(path.join(root, "routes"), path.resolve(file)).replaceAll(path.sep, "/");
  return within.startsWith("openapi/") ? within : `openapi/${path.basename(file)}`;
};

const tierOf = (file: string, { tier }: Choice): string => {
  const wanted = tier ?? kebab(path.basename(file).replace(/\.(?:openapi\.)?(?:json|ya?ml)$/, "")) ?? "";
  const read = name().safeParse(wanted);
  if (!read.success) throw new Error(`"${wanted}" is no name for a tier; give one: --tier shop`);
  return read.data;
};

const placeOf = ({ root, file }: OpenApi, { host, base, upstream }: Choice) => {
  const server = serverOf(root);
  const service = upstream === undefined ? server : URL.canParse(upstream) ? new URL(upstream) : undefined;
  if (!service)
    throw new Error(
      upstream === undefined
        ? `${file} names no server by a whole URL; say where the service is: --upstream https://shop.internal`
        : `"${upstream}" is no URL; write --upstream https://shop.internal`,
    );
  const served = host ?? server?.hostname;
  if (served === undefined) throw new Error(`${file} names no server; say where it is served: --host api.acme.example`);
  if (served === service.host)
    throw new Error(
      `the service would be behind ${served} and at ${served}; give --host, where clients find it, or --upstream, where the gate does`,
    );
  return { host: served, base: base ?? (server ? pathOfServer(server) : "/"), service };
};

/** Whether API keys could be looked up in every environment. */
const keysAreKept = (root: string): boolean => {
  const before = { environment: { name: "", file: "", value: environment().parse({}) }, consumers: [] };
  const names = environmentNames(root);
  return names.length > 0 && names.every((it) => readEnvironment(root, it, before).environment.value.kv.consumers);
};

const routesOf = (
  document: OpenApi,
  operations: readonly Operation[],
  { base, service }: ReturnType<typeof placeOf>,
  open: (operation: Operation) => boolean,
) => {
  const nameOf = distinct();
  const upstreams = upstreamNames();
  const gaps: Gap[] = [];
  const owners = new Map<string, string>();
  const whole = serverOf(document.root);
  const routes = operations.flatMap((operation): DraftRoute[] => {
    const where = `${operation.method} ${operation.path}`;
    const matched = asMatch(operation, base);
    if (typeof matched === "string") {
      gaps.push({ kind: "left-out", where, what: matched });
      return [];
    }
    const key = `${operation.method} ${shapeOf(matched.match)}`;
    const owner = owners.get(key);
    if (owner !== undefined) {
      gaps.push({
        kind: "left-out",
        where,
        what: `the route ${owner} takes its requests; no match tells the two apart`,
      });
      return [];
    }
    gaps.push(...matched.looser.map((what) => ({ kind: "otherwise" as const, where, what })));
    gaps.push(...callbacksOf(operation).map((what) => ({ kind: "otherwise" as const, where, what })));
    const wanted = kebab(operation.id ?? "") ?? kebab(where) ?? "route";
    const called = nameOf(wanted);
    owners.set(key, called);
    const own = serverOf(operation.value) ?? serverOf(itemOf(document, operation));
    const url = own && own.href !== whole?.href ? own : service;
    const isSame = pathOfServer(url) === base;
    return [
      {
        name: called,
        operation,
        match: `${operation.method} ${matched.match}`,
        target: isSame ? undefined : matched.target,
        to: upstreams.nameOf(isSame || pathOfServer(url) === "/" ? url.origin : url.origin + pathOfServer(url)),
        open: open(operation),
      },
    ];
  });
  return { routes, upstreams: upstreams.all(), gaps };
};

const itemOf = ({ root }: OpenApi, { path: at }: Operation) =>
  Object.fromEntries(Object.entries((root.paths as Record<string, object>)[at] ?? {}));

/** A match, or a sentence that says why there is none. */
const asMatch = (operation: Operation, base: string): Matched | string => {
  if (operation.method === "TRACE") return "no gateway passes TRACE on";
  try {
    const matched = matchedPath(operation, base);
    segmentsOf(joined(base, matched.match));
    return matched;
  } catch (error) {
    return `no match says this path: ${(error as Error).message}`;
  }
};

/** What a router tells routes apart by: whatever captures are called, they are alike. */
const shapeOf = (match: string): string =>
  JSON.stringify(
    segmentsOf(match).map((it) => {
      if (it.kind === "literal") return it.text;
      return it.kind === "mixed" ? it.cut : [it.kind, it.kind === "capture" ? (it.pattern ?? "") : ""];
    }),
  );

const callbacksOf = ({ value }: Operation): string[] =>
  value.callbacks === undefined ? [] : ["callbacks are calls of the service's own; they do not come by here"];

const beside = ({ root, version }: OpenApi): Gap[] => {
  const servers = Array.isArray(root.servers) ? root.servers.length : 0;
  const webhooks = Object.keys((root.webhooks as object | undefined) ?? {}).length;
  const told = (where: string, what: string): Gap => ({ kind: "otherwise", where, what });
  return [
    ...(servers > 1 ? [told("servers", `the first of ${servers} is the upstream`)] : []),
    ...(webhooks > 0 ? [told("webhooks", `calls of the service's own do not come by here (${webhooks})`)] : []),
    ...(stringIn(root, "jsonSchemaDialect")?.includes("2020-12") === false && version.startsWith("3.1")
      ? [told("jsonSchemaDialect", "schemas are read as JSON Schema 2020-12")]
      : []),
  ];
};
