/** Answers of the gate's own: a response as the manifest has it, and a redirect. */

import type { RedirectPlan, RespondPlan } from "../core/plan.ts";
import { Fault, gatewayCodes } from "../core/problems.ts";
import { locationOf, template } from "../core/references.ts";
import type { Context, Handler } from "../core/types.ts";
import { exchanged } from "../http/prefix.ts";
import type { Address } from "../http/request-url.ts";

/** As a manifest writes it. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text?: string | undefined;
  readonly json?: unknown;
}

/** What a manifest's `respond` means: the body as bytes, and their type. */
export const respondPlan = ({ status, headers, text, json }: Answer): RespondPlan => {
  const body = json === undefined ? (text ?? null) : `${JSON.stringify(json)}\n`;
  const type = json === undefined ? "text/plain; charset=utf-8" : "application/json";
  const all = Object.entries({ ...(body !== null && { "content-type": type }), ...headers });
  return { status, headers: Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1))), body };
};

export const responding =
  ({ status, headers, body }: RespondPlan): Handler =>
  async () =>
    new Response(body, { status, headers });

export const redirecting = (plan: RedirectPlan): Handler => {
  const { status, query } = plan;
  const place = plan.to === undefined ? changed(plan) : written(plan.to);
  return async (request, context) => {
    const search = query === "keep" ? context.url.search : "";
    return new Response(null, { status, headers: { location: place(request, context) + search } });
  };
};

type Place = (request: Request, context: Context) => string;

const written = (to: string): Place => {
  const { origin, path } = locationOf(to);
  const target = template(path, "path");
  return (request, context) => origin + filled(target(request, context));
};

/** The request's own place with some of it changed. Where that is only the path, it stays relative. */
const changed = (plan: RedirectPlan): Place => {
  const { scheme, host, port, path, "strip-prefix": strip, "put-prefix": put } = plan;
  const target = path === undefined ? undefined : template(path, "path");
  const elsewhere = (scheme ?? host ?? port) !== undefined;
  return (request, context) => {
    const { url } = context;
    const to = target ? filled(target(request, context)) : (exchanged(url.pathname, strip, put) ?? url.pathname);
    return elsewhere ? originOf(plan, url) + to : to;
  };
};

/** Another scheme has another port: its usual one, which is not written. */
const originOf = ({ scheme, host, port }: RedirectPlan, url: Address): string => {
  const protocol = scheme ? `${scheme}:` : url.protocol;
  const given = port === undefined ? (scheme ? "" : url.host.slice(url.hostname.length + 1)) : String(port);
  const usual = protocol === "https:" ? "443" : "80";
  return `${protocol}//${host ?? url.hostname}${given === "" || given === usual ? "" : `:${given}`}`;
};

/** @throws Fault where a value of the request cannot stand in a path */
export const filled = (path: string | undefined): string => {
  if (path === undefined) throw new Fault(gatewayCodes, "reference-malformed");
  return path;
};
