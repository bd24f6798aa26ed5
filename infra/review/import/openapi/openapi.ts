/** Makes a tier of an OpenAPI document: a route for each operation, requests validated by the document itself. */
import path from "node:path";
import { hasTwins } from "../../../../functions/gateway/http/duplicate-keys.ts";
import { joined, methods, segmentsOf } from "../../../../functions/gateway/routing/match.ts";
import { environment } from "../../../../functions/manifest/environment.ts";
import { name } from "../../../../functions/manifest/names.ts";
import { environmentNames, readEnvironment } from "../../../compiler/check/shared-files.ts";
import { DocumentError, documentOf, isJsonText, listOf, type OpenApi, textOf } from "../../../openapi/document.ts";
import { type Operation, readOperations } from "../../../openapi/operations.ts";
import { type Gap, type Imported, told } from "../imported.ts";
import { bundled } from "./bundle.ts";
import { checkedBy } from "./checked.ts";
import { type Draft, type DraftRoute, manifestText } from "./manifest.ts";
import { distinct, kebab } from "./names.ts";
import { type Matched, matchedPath } from "./paths.ts";
import { remarksOn } from "./remarks.ts";
import { type Secured, securedBy } from "./security.ts";
import { pathOfServer, serverOf, upstreamNames } from "./servers.ts";

export interface Choice {
  readonly tier?: string | undefined;
  readonly host?: string | undefined;
  readonly base?: string | undefined;
  readonly upstream?: string | undefined;
}

/** @throws where it cannot be read, what it does not say was not said beside it, or no route is made of it */
export const importOpenApi = (file: string, root: string, choice: Choice): Imported => {
  const text = textOf(path.resolve(file), file);
  const { document, files } = bundled(documentOf(text, file));
  const { operations, unread } = readOperations(document);
  const tier = tierOf(file, choice);
  const place = placeOf(document, choice);
  const secured = securedBy(document, operations, tier, keysAreKept(root));
  const made = routesOf(document, operations, place, secured);
  const { routes, gaps: more } = checkedBy(document, made.routes);
  const lost = [...unread, ...twins(text, file)].map((it): Gap => ({ kind: "left-out", ...it }));
  const all = [...secured.gaps, ...remarksOn(document, operations, choice.base), ...lost, ...made.gaps, ...more];
  if (routes.length === 0) throw withoutRoutes(document, all);
  const kept = keptAs(file, root, files > 0 || isJsonText(text), files > 0);
  const draft: Draft = { document, tier, ...place, secured, upstreams: made.upstreams, routes, gaps: all, kept };
  return {
    files: [
      { file: `routes/${tier}.yaml`, text: manifestText(draft) },
      { file: `routes/${kept}`, text: files > 0 ? `${JSON.stringify(document.root, null, 2)}\n` : text },
    ],
    routes: routes.length,
    gaps: all,
  };
};

const withoutRoutes = ({ file, root }: OpenApi, gaps: readonly Gap[]): DocumentError => {
  const out = told(gaps.filter(({ kind }) => kind === "left-out"));
  const webhooks = root.webhooks === undefined ? "" : "; webhooks are calls of the service's own";
  const said =
    out.length === 0
      ? `${file} has no operation in \`paths\`${webhooks}`
      : `of ${file} no route can be made: ${out.slice(0, 5).join("; ")}`;
  return new DocumentError(
    said,
    "give a document whose `paths` have operations that clients call; nothing was written",
  );
};

/** YAML refuses a key that stands twice, and JSON takes the last one (RFC 8259, section 4). */
const twins = (text: string, file: string) =>
  isJsonText(text) && hasTwins(text)
    ? [{ where: file, what: "a key stands twice in one object; the last one is read" }]
    : [];

/** Where the document stands from then on: where it is, if that is in the project's `routes/`. */
const keptAs = (file: string, root: string, isJson: boolean, isBundled: boolean): string => {
  const within = path.relative(path.join(root, "routes"), path.resolve(file)).replaceAll(path.sep, "/");
  const stem = named(path.basename(file).replace(/(?:\.bundled)?\.\w+$/, ""));
  if (isBundled) return `openapi/${stem}.bundled.json`;
  if (within.startsWith("openapi/")) return within;
  const own = path.basename(file);
  return `openapi/${/^[\w-][\w.-]*\.(?:json|ya?ml)$/.test(own) ? own : `${stem}.${isJson ? "json" : "yaml"}`}`;
};

/** As a manifest can name a file: `Shop API (v2)` is `Shop-API-v2`. */
const named = (stem: string): string => stem.replaceAll(/[^\w.-]+/g, "-").replace(/^\.+|-+$/g, "") || "openapi";

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
  { open, unread }: Secured,
) => {
  const nameOf = distinct();
  const upstreams = upstreamNames();
  const gaps: Gap[] = [];
  const owners = new Map<string, string>();
  const whole = serverOf(document.root);
  const routes = operations.flatMap((operation): DraftRoute[] => {
    const where = `${operation.method} ${operation.path}`;
    const closed = unread(operation);
    const matched =
      closed === undefined
        ? asMatch(operation, base)
        : `its security cannot be read: ${closed}; without it the route would be open to all`;
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
    const own = serverOf(operation.value) ?? serverOf(operation.item);
    const served = listOf(operation.value.servers ?? operation.item.servers).length;
    if (served > 0 && !own)
      gaps.push({ kind: "otherwise", where, what: "its server is no whole URL; the document's is the upstream" });
    if (served > 1) gaps.push({ kind: "otherwise", where, what: `the first of its ${served} servers is the upstream` });
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
        unchecked: false,
      },
    ];
  });
  return { routes, upstreams: upstreams.all(), gaps };
};

/** A match, or a sentence that says why there is none. */
const asMatch = (operation: Operation, base: string): Matched | string => {
  const { method, path: whole } = operation;
  if (method === "TRACE") return "no gateway passes TRACE on";
  if (method === "ANY" || !(methods as readonly string[]).includes(method)) return `no match has the method ${method}`;
  if (!whole.startsWith("/")) return "a path begins with /";
  if (whole.includes("#")) return "what stands behind # is no part of a request";
  if (whole.includes("?")) return "a query is no part of a path: write a route with a condition, when: { query: … }";
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
