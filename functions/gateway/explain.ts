/**
 * Explains requests at a running gate to callers with an explain token: EdDSA, for one tier and route, valid for five
 * minutes.
 */

import { startTrace } from "./core/trace.ts";
import type { Deps, Trace } from "./core/types.ts";
import { ed25519Key } from "./identity/ed25519-key.ts";
import { type TokenPurpose, verifyShortToken } from "./identity/short-token.ts";
import { explainHeader } from "./proxy/forwarding.ts";
import type { Gateway } from "./server.ts";

export const traceHeader = "postern-trace";
export const explainAudience = "postern-explain";
/** In seconds. */
export const maxExplainLifeSeconds = 300;

const maxTokenLength = 1024;
const maxTraceLength = 4096;

export type Explain = (tier: string, serve: Gateway, deps: Deps) => Gateway;

/**
 * An invalid token is ignored: the request is served as usual.
 * @param x the public key, as a JWK has it (RFC 8037)
 * @param environment that a token must name
 */
export const explaining = (x: string, environment: string): Explain => {
  const purpose = { audience: explainAudience, environment, lifeSeconds: maxExplainLifeSeconds };
  const key = ed25519Key(x);
  return (tier, serve, deps) => async (request, caller) => {
    if (caller.gateOnlyHeaders && !caller.gateOnlyHeaders.includes(explainHeader)) return serve(request, caller);
    const token = request.headers.get(explainHeader);
    const route = token !== null && (await routeOf(token, tier, key, purpose, deps.now()));
    if (!route) return serve(request, caller);
    const trace = startTrace(deps.now);
    const response = await serve(request, { ...caller, trace });
    if (route === "*" || route === trace.route) response.headers.set(traceHeader, traceText(trace, tier, deps.version));
    return response;
  };
};

/** The route that a token is valid for; undefined for an invalid token. */
const routeOf = async (
  token: string,
  tier: string,
  key: ReturnType<typeof ed25519Key>,
  purpose: TokenPurpose,
  now: number,
): Promise<string | undefined> => {
  if (token.length > maxTokenLength) return undefined;
  try {
    const payload = await verifyShortToken(token, await key(), purpose, now);
    return payload.tier === tier && typeof payload.route === "string" ? payload.route : undefined;
  } catch {
    return undefined;
  }
};

/** Serializes the trace for a header. Ids and codes are ASCII. Decisions that do not fit are left out. */
const traceText = ({ route, decisions }: Trace, tier: string, version: string): string => {
  for (let count = decisions.length; ; count--) {
    const text = JSON.stringify({ tier, route, version, decisions: decisions.slice(0, count) });
    if (text.length <= maxTraceLength || count === 0) return text;
  }
};
