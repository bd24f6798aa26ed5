/** Finds the credentials of a case's request: those that the filters of its route read. */
import type { Persona } from "../../../functions/gateway/hooks/credentials.ts";
import { withToken, writesToken } from "../../../functions/gateway/hooks/token-place.ts";
import { preflightMethod } from "../../../functions/gateway/http/preflight.ts";
import type { Compiled } from "../../compiler/compile.ts";
import type { CheckedRoute } from "../../compiler/model/checked.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import type { Credential } from "./batch.ts";
import { credentialsFor, isKnownTo, type RunKeys, readsCredential, type Shown } from "./personas.ts";
import type { Suite } from "./read.ts";

export interface CredentialContext {
  readonly suite: Suite;
  readonly compiled: Compiled;
  readonly keys: RunKeys;
  /** Problems of personas that a filter does not know are added. */
  readonly problems: Problem[];
  readonly routeOf: (request: Request, url: URL) => CheckedRoute | undefined;
}

/** @param at the location of the step */
export const credentialsOf = (
  request: Request,
  url: URL,
  persona: Persona | undefined,
  at: Path,
  context: CredentialContext,
): Credential[] => {
  const { suite, problems } = context;
  if (!persona || preflightMethod(request) !== null) return [];
  const route = routeWithCredentials(request, url, persona, context);
  return (route ? credentialsOn(route, persona, context) : []).flatMap((it) => {
    if (typeof it !== "string") {
      const { places = [], ...credential } = it;
      // Credentials that the case sets itself are not overwritten.
      return places.some((place) => writesToken(request, place)) ? [] : [credential];
    }
    if (suite.source) problems.push(suite.source.problem([...at, "as"], "unknown-value", it));
    return [];
  });
};

const credentialsOn = ({ chain }: CheckedRoute, persona: Persona, { compiled, keys }: CredentialContext): Shown[] =>
  credentialsFor({ persona, chain, consumers: compiled.consumers, keys });

/** Where the filters of a route read the persona's credentials: `header.x-api-key`, `cookie.session`. */
export const credentialPlaces = (route: CheckedRoute, persona: Persona, context: CredentialContext): string[] =>
  credentialsOn(route, persona, context).flatMap((it) => (typeof it === "string" ? [] : (it.places ?? [])));

/**
 * The route that takes the request with the caller's credentials: its conditions may be about the credentials themselves.
 * Such a route precedes the one that takes the request as written if its filters know the caller by name.
 */
export const routeWithCredentials = (
  request: Request,
  url: URL,
  persona: Persona,
  context: CredentialContext,
): CheckedRoute | undefined => {
  const { suite, routeOf, compiled } = context;
  const found = routeOf(request, url);
  const isFoundWithCredentials = (route: CheckedRoute): boolean => {
    const complete = credentialPlaces(route, persona, context).reduce(withPlaceholder, request);
    return complete !== request && routeOf(complete, new URL(complete.url))?.name === route.name;
  };
  const completed = suite.tier.routes.filter((it) => it.when.length > 0 && isFoundWithCredentials(it));
  const known = completed.find(({ chain }) => isKnownTo(chain, persona.name, compiled.consumers));
  return known ?? (found?.chain.some(readsCredential) ? found : (completed[0] ?? found));
};

const withPlaceholder = (request: Request, place: string): Request => {
  const { headers = {}, url = request.url } = withToken(request, place, "x");
  return new Request(url, { method: request.method, headers: { ...Object.fromEntries(request.headers), ...headers } });
};
