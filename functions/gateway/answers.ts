/** Answers of the gate's own: a response as the manifest has it, and a redirect. */
import { Fault, gatewayCodes } from "./faults.ts";
import type { Answer } from "./goes.ts";
import type { RedirectPlan, RespondPlan } from "./plan.ts";
import { locationOf, template } from "./references.ts";
import type { Handler } from "./types.ts";

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

export const redirecting = ({ to, status, query }: RedirectPlan): Handler => {
  const { origin, path } = locationOf(to);
  const target = template(path, "path");
  return async (request, context) => {
    const search = query === "keep" ? context.url.search : "";
    const location = origin + filled(target(request, context)) + search;
    return new Response(null, { status, headers: { location } });
  };
};

/** @throws Fault where a value of the request cannot stand in a path */
export const filled = (path: string | undefined): string => {
  if (path === undefined) throw new Fault(gatewayCodes, "reference-malformed");
  return path;
};
