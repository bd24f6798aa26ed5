/** Explains a request at a running gate to who brings a token for it: EdDSA, for one tier and route, five minutes long. */
import { jwtVerify } from "jose";
import { edKey } from "./ed-key.ts";
import { explainHeader } from "./hop.ts";
import type { Gateway } from "./server.ts";
import { traceOf } from "./trace.ts";
import type { Deps, Trace } from "./types.ts";

export const traceHeader = "postern-trace";
export const explainAudience = "postern-explain";
/** In seconds. */
export const longestLife = 300;

const longestToken = 1024;
const longestTrace = 4096;

export type Explain = (tier: string, serve: Gateway, deps: Deps) => Gateway;

/**
 * A token that does not hold changes nothing: the request is served as if it had not been there.
 * @param x the public key, as a JWK has it (RFC 8037)
 */
export const explaining = (x: string): Explain => {
  const key = edKey(x);
  return (tier, serve, deps) => async (request, caller) => {
    if (caller.further && !caller.further.includes(explainHeader)) return serve(request, caller);
    const token = request.headers.get(explainHeader);
    const route = token !== null && (await routeOf(token, tier, key, deps.now()));
    if (!route) return serve(request, caller);
    const trace = traceOf(deps.now);
    const response = await serve(request, { ...caller, trace });
    if (route === "*" || route === trace.route) response.headers.set(traceHeader, written(trace, tier, deps.version));
    return response;
  };
};

/** The route that a token is for, or undefined where it is for nothing here. */
const routeOf = async (
  token: string,
  tier: string,
  key: ReturnType<typeof edKey>,
  now: number,
): Promise<string | undefined> => {
  if (token.length > longestToken) return undefined;
  try {
    const { payload } = await jwtVerify(token, await key(), {
      algorithms: ["EdDSA", "Ed25519"],
      audience: explainAudience,
      requiredClaims: ["exp", "iat"],
      clockTolerance: 5,
      currentDate: new Date(now),
    });
    const { exp = Number.POSITIVE_INFINITY, iat = 0 } = payload;
    if (payload.tier !== tier || typeof payload.route !== "string" || exp - iat > longestLife) return undefined;
    return payload.route;
  } catch {
    return undefined;
  }
};

/** Ids and codes only, which are ASCII. */
const written = ({ route, decisions }: Trace, tier: string, version: string): string => {
  for (let kept = decisions.length; ; kept--) {
    const text = JSON.stringify({ tier, route, version, decisions: decisions.slice(0, kept) });
    if (text.length <= longestTrace || kept === 0) return text;
  }
};
