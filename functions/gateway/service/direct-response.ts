/** Responses without an upstream: fixed responses and redirects. */

import type { RedirectPlan, RespondPlan } from "../core/plan.ts";
import { Fault, gatewayCodes } from "../core/problems.ts";
import { compileTemplate, parseLocation } from "../core/references.ts";
import type { Context, Handler } from "../core/types.ts";
import { replacePrefix } from "../http/prefix.ts";
import type { RequestUrl } from "../http/request-url.ts";

/** `respond` as in a manifest. */
interface RespondConfig {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string | undefined;
  readonly json?: unknown;
}

/** Converts a manifest's `respond` for the plan: the body as text, and its type. */
export const respondPlan = ({ status, headers, text, json }: RespondConfig): RespondPlan => {
  const body = json === undefined ? (text ?? null) : `${JSON.stringify(json)}\n`;
  const type = json === undefined ? "text/plain; charset=utf-8" : "application/json";
  const all = Object.entries({ ...(body !== null && { "content-type": type }), ...headers });
  return { status, headers: Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1))), body };
};

export const respondHandler =
  ({ status, headers, body }: RespondPlan): Handler =>
  async () =>
    new Response(body, { status, headers });

export const redirectHandler = (plan: RedirectPlan): Handler => {
  const { status, query } = plan;
  const location = plan.to === undefined ? changedLocation(plan) : fixedLocation(plan.to);
  return async (request, context) => {
    const search = query === "keep" ? context.url.search : "";
    return new Response(null, { status, headers: { location: location(request, context) + search } });
  };
};

type LocationOf = (request: Request, context: Context) => string;

const fixedLocation = (to: string): LocationOf => {
  const { origin, path } = parseLocation(to);
  const target = compileTemplate(path, "path");
  return (request, context) => origin + requirePath(target(request, context));
};

/** The request's URL with changes. Relative when only the path changes. */
const changedLocation = (plan: RedirectPlan): LocationOf => {
  const { scheme, host, port, path, "strip-prefix": strip, "put-prefix": put } = plan;
  const target = path === undefined ? undefined : compileTemplate(path, "path");
  const isOtherOrigin = (scheme ?? host ?? port) !== undefined;
  return (request, context) => {
    const { url } = context;
    const to = target
      ? requirePath(target(request, context))
      : (replacePrefix(url.pathname, strip, put) ?? url.pathname);
    return isOtherOrigin ? originOf(plan, url) + to : to;
  };
};

/** A new scheme implies its default port, which is omitted. */
const originOf = ({ scheme, host, port }: RedirectPlan, url: RequestUrl): string => {
  const protocol = scheme ? `${scheme}:` : url.protocol;
  const explicitPort = port === undefined ? (scheme ? "" : url.host.slice(url.hostname.length + 1)) : String(port);
  const defaultPort = protocol === "https:" ? "443" : "80";
  return `${protocol}//${host ?? url.hostname}${explicitPort === "" || explicitPort === defaultPort ? "" : `:${explicitPort}`}`;
};

/** @throws Fault when a value of the request is not allowed in a path */
export const requirePath = (path: string | undefined): string => {
  if (path === undefined) throw new Fault(gatewayCodes, "reference-malformed");
  return path;
};
