/**
 * The front: the Worker ahead of the gates. It removes spoofable headers, sets request id and gray key, and finds the
 * tier of a request.
 */

import { grayKeySetter, withoutGrayKey } from "./front/gray-key.ts";
import type { FrontTelemetry, TelemetrySink } from "./front/telemetry.ts";
import type { FrontPlan } from "./gateway/core/plan.ts";
import { gatewayCodes, type ProblemOptions, problemResponse } from "./gateway/core/problems.ts";
import { splitCookieField } from "./gateway/http/cookies.ts";
import { hostFinder, hostOf } from "./gateway/http/hosts.ts";
import { canonicalPath, hasEncodedSlash } from "./gateway/http/path.ts";
import { preflightMethod } from "./gateway/http/preflight.ts";
import { parseRequestUrl, type RequestUrl } from "./gateway/http/request-url.ts";
import { type LabelVerifier, labelHeader, type TesterLabel } from "./gateway/identity/label.ts";
import {
  addGateOnlyHeaders,
  continueTrace,
  overridesHeader,
  parentSpanHeader,
  removeSpoofableHeaders,
  requestIdHeader,
  smokeHeader,
} from "./gateway/proxy/forwarding.ts";
import { acceptedHeadersOf } from "./gateway/proxy/spoofable-headers.ts";
import { createRouteFinder } from "./gateway/routing/finder.ts";

type Env = Readonly<Record<string, Fetcher>>;
type TierEntry = FrontPlan["tiers"][number];

/** State of one request. */
interface RequestState {
  readonly env: Env;
  readonly defer: TelemetrySink["defer"];
  /** The client's request, unmodified. */
  readonly original: Request;
  /** The request to the gate: the front's only copy, sanitized. */
  readonly outgoing: Request;
  readonly requestId: string;
  /** The tester's label, if it is valid. */
  readonly label: TesterLabel | undefined;
}

/**
 * One handler: each separate middleware would cost every request a promise and a few objects.
 * @param labels verifies testers' labels; set only when control signs them
 * @param telemetry reports to control; set only when a control plane is configured
 */
export const front = (plan: FrontPlan, labels?: LabelVerifier, telemetry?: FrontTelemetry) => {
  const setGrayKey = grayKeySetter(plan.grayKey, () => crypto.randomUUID());
  const withoutGrayCookie = withoutGrayKey(plan.grayKey);
  const forwardToGate = gateForwarder(plan.tiers, telemetry);
  const accepted = acceptedHeadersOf(plan.tiers);
  const serve = async (state: RequestState): Promise<Response> => {
    try {
      return refuseIfNothingDeployed(state, plan.tiers) ?? (await forwardToGate(state));
    } catch (error) {
      logFault(state, "internal", error);
      return refuse(state, "internal", null);
    }
  };
  const fetch = async (
    original: Request,
    env: Env,
    context: Pick<ExecutionContext, "waitUntil">,
  ): Promise<Response> => {
    const outgoing = new Request(original);
    const { headers } = outgoing;
    // Gates never see a label. An invalid label is ignored.
    const text = headers.get(labelHeader);
    const { requestId, gateOnlyHeaders } = sanitizeHeaders(headers, plan.requestId?.accept === true, accepted);
    const setCookie = setGrayKey(original, headers, gateOnlyHeaders);
    const label = text === null ? undefined : await labels?.(text, Date.now());
    const defer: TelemetrySink["defer"] = (work) => context.waitUntil(work);
    const response = withoutGrayCookie(await serve({ env, defer, original, outgoing, requestId, label }));
    return setCookie === undefined ? response : withCookie(response, setCookie);
  };
  return { fetch };
};

/** Safe for logs and headers. Two header lines are joined with a comma, which the pattern excludes. */
const plainId = /^[\w.+/=:@-]{1,128}$/;

/**
 * Removes spoofable headers, sets the request id, and continues the caller's trace (W3C Trace Context).
 * @param spoofable headers that a tier of this front accepts from clients
 * @param accept whether the client's request id is kept
 */
const sanitizeHeaders = (
  headers: Headers,
  accept: boolean,
  spoofable: ReadonlySet<string>,
): { readonly requestId: string; readonly gateOnlyHeaders: readonly string[] } => {
  const generatedId = crypto.randomUUID();
  const clientId = accept ? headers.get(requestIdHeader) : null;
  const requestId = clientId !== null && plainId.test(clientId) ? clientId : generatedId;
  const { traceparent, parentSpan } = continueTrace(headers.get("traceparent"), generatedId);
  const gateOnlyHeaders = removeSpoofableHeaders(headers, parentSpan, spoofable);
  const cookies = splitCookieField(headers);
  if (cookies !== undefined) headers.set("cookie", cookies);
  headers.set(requestIdHeader, requestId);
  headers.set("traceparent", traceparent);
  if (parentSpan === undefined) return { requestId, gateOnlyHeaders };
  headers.set(parentSpanHeader, parentSpan);
  return { requestId, gateOnlyHeaders: [...gateOnlyHeaders, parentSpanHeader] };
};

/** Sends a tester to the versions that the label names, in its tiers. In other tiers a tester counts as a user. */
const applyTesterLabel = (headers: Headers, tier: string, label: TesterLabel | undefined): void => {
  if (!label?.tiers.includes(tier)) return;
  headers.set(overridesHeader, label.versions);
  headers.set(smokeHeader, "1");
  addGateOnlyHeaders(headers, [overridesHeader, smokeHeader]);
};

const withCookie = (response: Response, text: string): Response => {
  const copy = new Response(response.body, response);
  copy.headers.append("set-cookie", text);
  return copy;
};

/** A front alone, as a bare `wrangler deploy` creates it, explains what is missing on any host. */
const refuseIfNothingDeployed = (state: RequestState, tiers: FrontPlan["tiers"]): Response | undefined => {
  if (tiers.some(({ binding }) => state.env[binding])) return undefined;
  const names = tiers.map(({ tier }) => tier).join(", ");
  const detail = `No gate is deployed behind this front yet (${names}). Run: npx postern deploy`;
  return refuse(state, "tier-not-deployed", null, { detail });
};

const gateForwarder = (tiers: FrontPlan["tiers"], telemetry: FrontTelemetry | undefined) => {
  const find = tierFinder(tiers);
  const recordAndReturn = (state: RequestState, tier: string, response: Response, code: string): Response => {
    telemetry?.recordAnswer(sinkOf(state), tier, response.status, code, state.outgoing.headers);
    return response;
  };
  return async (state: RequestState): Promise<Response> => {
    const { env, original, outgoing } = state;
    const url = parseRequestUrl(original.url);
    if (url === undefined) return refuse(state, "host-malformed", null);
    const found = find(hostOf(url), url.pathname);
    if (typeof found === "string") return refuse(state, found, null);
    for (const name of found.removedHeaders) outgoing.headers.delete(name);
    // Sanitized, as the gate receives it, so that front and gate find the same route.
    const gate = env[found.bindingFor(outgoing, url)];
    const { tier } = found;
    applyTesterLabel(outgoing.headers, tier, state.label);
    if (!gate) return recordAndReturn(state, tier, refuse(state, "tier-not-deployed", tier), "tier-not-deployed");
    try {
      return recordAndReturn(state, tier, await gate.fetch(outgoing), "");
    } catch (error) {
      logFault(state, "gate-unavailable", error, tier);
      if (!original.signal.aborted) telemetry?.recordDeath(sinkOf(state), tier, gate, outgoing.headers);
      const response = refuse(state, "gate-unavailable", tier, { headers: { "retry-after": "5" } });
      return recordAndReturn(state, tier, response, "gate-unavailable");
    }
  };
};

const sinkOf = ({ env, defer }: RequestState): TelemetrySink => ({ control: env.TELEMETRY, defer });

/** Responds in place of a gate and writes the access log line. */
const refuse = (
  { original: { method }, requestId: request }: RequestState,
  code: keyof typeof gatewayCodes,
  tier: string | null,
  options: ProblemOptions = {},
): Response => {
  const { status } = gatewayCodes[code];
  const verdict = status < 500 ? "refused" : "failed";
  const time = new Date().toISOString();
  log({ type: "access", time, tier, route: null, method, status, verdict, by: "front", code, request });
  const response = problemResponse(code, gatewayCodes[code], request, options);
  response.headers.set("x-request-id", request);
  return response;
};

/** A tier and the binding of the gate that serves a request. */
interface FrontTier {
  readonly tier: string;
  readonly base: string;
  /** Whether a route keeps encoded slashes. The gate decides which one matches. */
  readonly keepsSlashes: boolean;
  /** Spoofable headers that other tiers of this front accept and this tier does not. */
  readonly removedHeaders: readonly string[];
  readonly bindingFor: (request: Request, url: RequestUrl) => string;
}

/** Resolves the gate's binding. Most tiers have one gate, so the request is not inspected. */
const tierOf = ({ tier, base, binding, lifted, encodedSlashes }: TierEntry): Omit<FrontTier, "removedHeaders"> => {
  const known = { tier, base, keepsSlashes: encodedSlashes === "keep" };
  if (!lifted) return { ...known, bindingFor: () => binding };
  const { canonical, find } = createRouteFinder(lifted);
  const bindings = new Map(Object.entries(lifted.bindings));
  return {
    ...known,
    bindingFor: (request, url) => {
      const path = canonical(url.pathname);
      const found =
        path === undefined ? undefined : find(preflightMethod(request) ?? request.method, path, request, url);
      return (found?.kind === "found" && bindings.get(found.route)) || binding;
    },
  };
};

type NotFoundCode = "path-ambiguous" | "host-unknown" | "route-unknown";

/** Finds a tier by host, then by the longest base of the path. An encoded slash is no separator, as in gates. */
export const tierFinder = (tiers: FrontPlan["tiers"]) => {
  const accepted = acceptedHeadersOf(tiers);
  const byHost = new Map<string, { readonly under: string; readonly tier: FrontTier }[]>();
  for (const it of tiers.toSorted((a, b) => b.base.length - a.base.length)) {
    const tier = { ...tierOf(it), removedHeaders: [...accepted].filter((name) => !it.accepts?.includes(name)) };
    for (const host of it.hosts)
      byHost.set(host, [...(byHost.get(host) ?? []), { under: tier.base === "/" ? "/" : `${tier.base}/`, tier }]);
  }
  const onHost = hostFinder(byHost);
  const find = (host: string, path: string): FrontTier | NotFoundCode => {
    const candidates = onHost(host);
    if (!candidates) return "host-unknown";
    return candidates.find(({ under, tier }) => path.startsWith(under) || path === tier.base)?.tier ?? "route-unknown";
  };
  return (host: string, pathname: string): FrontTier | NotFoundCode => {
    // Checked here because the runtime merges empty segments between Workers, so a gate could not see them.
    const path = canonicalPath(pathname, "keep");
    if (path === undefined) return "path-ambiguous";
    const found = find(host, path);
    if (!hasEncodedSlash(path)) return found;
    return typeof found !== "string" && found.keepsSlashes ? found : "path-ambiguous";
  };
};

const log = (line: object) => console.log(JSON.stringify(line));

const logFault = ({ requestId: request }: RequestState, code: string, error: unknown, tier?: string) => {
  const cause = error instanceof Error ? error.message : String(error);
  log({ type: "fault", tier, code, cause, request });
};
