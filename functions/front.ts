/** The thin Worker ahead of the gates: cleans headers, names the request, sets the gray key, finds the tier. */

import { grayKeyOf, withoutGrayKey } from "./front/gray-key.ts";
import type { Ear, FrontTelemetry } from "./front/telemetry.ts";
import type { FrontPlan } from "./gateway/core/plan.ts";
import { answer, gatewayCodes, type ProblemOptions } from "./gateway/core/problems.ts";
import { joinedCookies } from "./gateway/http/cookies.ts";
import { hostFinder, hostOf } from "./gateway/http/hosts.ts";
import { canonicalPath, hasEncodedSlash } from "./gateway/http/path.ts";
import { preflightMethod } from "./gateway/http/preflight.ts";
import { type Address, addressOf } from "./gateway/http/request-url.ts";
import { type Label, type Labels, labelHeader } from "./gateway/identity/label.ts";
import {
  cleanseFor,
  overridesHeader,
  parentSpanHeader,
  presentBesides,
  requestIdHeader,
  smokeHeader,
  traceOf,
} from "./gateway/proxy/forwarding.ts";
import { acceptedBy } from "./gateway/proxy/spoofable-headers.ts";
import { finder } from "./gateway/routing/finder.ts";

type Env = Readonly<Record<string, Fetcher>>;
type Entry = FrontPlan["tiers"][number];

/** One request on its way through. */
interface Passage {
  readonly env: Env;
  readonly defer: Ear["defer"];
  /** As it came. */
  readonly given: Request;
  /** The request that goes on: the front's one copy, cleaned. */
  readonly onward: Request;
  readonly requestId: string;
  /** That the caller bears, and that holds. */
  readonly label: Label | undefined;
}

/**
 * One handler, since each middleware of its own would cost every request of every tier a promise and a few objects.
 * @param labels of testers, where control signs them
 * @param telemetry where control is to be told what the front saw
 */
export const front = (plan: FrontPlan, labels?: Labels, telemetry?: FrontTelemetry) => {
  const keepOnOneVersion = grayKeyOf(plan.grayKey, () => crypto.randomUUID());
  const withoutOurCookie = withoutGrayKey(plan.grayKey);
  const toGate = gateway(plan.tiers, telemetry);
  const accepted = acceptedBy(plan.tiers);
  const serve = async (passage: Passage): Promise<Response> => {
    try {
      return sayWhatIsMissing(passage, plan.tiers) ?? (await toGate(passage));
    } catch (error) {
      report(passage, "internal", error);
      return decline(passage, "internal", null);
    }
  };
  const fetch = async (given: Request, env: Env, context: Pick<ExecutionContext, "waitUntil">): Promise<Response> => {
    const onward = new Request(given);
    const { headers } = onward;
    // No gate sees a label. One that does not hold is as none.
    const text = headers.get(labelHeader);
    const { requestId, further } = cleanAndName(headers, plan.requestId?.accept === true, accepted);
    const setCookie = keepOnOneVersion(given, headers, further);
    const label = text === null ? undefined : await labels?.(text, Date.now());
    const defer: Ear["defer"] = (work) => context.waitUntil(work);
    const response = withoutOurCookie(await serve({ env, defer, given, onward, requestId, label }));
    return setCookie === undefined ? response : withCookie(response, setCookie);
  };
  return { fetch };
};

/** What logs and headers can carry whole. Two header lines of the name are one value with a comma in it, which is none. */
const plainId = /^[\w.+/=:@-]{1,128}$/;

/**
 * Nothing that the gateway uses inside is taken from outside. A request id of our own, and the caller's trace continued (W3C Trace Context).
 * @param spoofable headers that a tier of this front accepts all the same
 * @param accept whether the client's request id is kept, for logs and for the service
 */
const cleanAndName = (
  headers: Headers,
  accept: boolean,
  spoofable: ReadonlySet<string>,
): { readonly requestId: string; readonly further: readonly string[] } => {
  const made = crypto.randomUUID();
  const given = accept ? headers.get(requestIdHeader) : null;
  const requestId = given !== null && plainId.test(given) ? given : made;
  const { traceparent, parentSpan } = traceOf(headers.get("traceparent"), made);
  const further = cleanseFor(headers, parentSpan, spoofable);
  const cookies = joinedCookies(headers);
  if (cookies !== undefined) headers.set("cookie", cookies);
  headers.set(requestIdHeader, requestId);
  headers.set("traceparent", traceparent);
  if (parentSpan === undefined) return { requestId, further };
  headers.set(parentSpanHeader, parentSpan);
  return { requestId, further: [...further, parentSpanHeader] };
};

/** Who bears a label meets the versions that it names, in the tiers that it is for. Elsewhere he is counted as any user. */
const letTestersChoose = (headers: Headers, tier: string, label: Label | undefined): void => {
  if (!label?.tiers.includes(tier)) return;
  headers.set(overridesHeader, label.versions);
  headers.set(smokeHeader, "1");
  presentBesides(headers, [overridesHeader, smokeHeader]);
};

const withCookie = (response: Response, text: string): Response => {
  const copy = new Response(response.body, response);
  copy.headers.append("set-cookie", text);
  return copy;
};

/** A front by itself, as a bare `wrangler deploy` makes it, answers under any host, and says what belongs behind it. */
const sayWhatIsMissing = (passage: Passage, tiers: FrontPlan["tiers"]): Response | undefined => {
  if (tiers.some(({ binding }) => passage.env[binding])) return undefined;
  const names = tiers.map(({ tier }) => tier).join(", ");
  const detail = `Nothing is deployed behind this front yet (${names}). npx postern deploy brings all of it`;
  return decline(passage, "tier-not-deployed", null, { detail });
};

const gateway = (tiers: FrontPlan["tiers"], telemetry: FrontTelemetry | undefined) => {
  const find = tierFinder(tiers);
  const answered = (passage: Passage, tier: string, response: Response, code: string): Response => {
    telemetry?.answered(earOf(passage), tier, response.status, code, passage.onward.headers);
    return response;
  };
  return async (passage: Passage): Promise<Response> => {
    const { env, given, onward } = passage;
    const url = addressOf(given.url);
    if (url === undefined) return decline(passage, "host-malformed", null);
    const found = find(hostOf(url), url.pathname);
    if (typeof found === "string") return decline(passage, found, null);
    for (const name of found.refuses) onward.headers.delete(name);
    // Cleaned, as the gate will see it, so that both find the same route.
    const gate = env[found.bindingFor(onward, url)];
    const { tier } = found;
    letTestersChoose(onward.headers, tier, passage.label);
    if (!gate) return answered(passage, tier, decline(passage, "tier-not-deployed", tier), "tier-not-deployed");
    try {
      return answered(passage, tier, await gate.fetch(onward), "");
    } catch (error) {
      report(passage, "gate-unavailable", error, tier);
      if (!given.signal.aborted) telemetry?.died(earOf(passage), tier, gate, onward.headers);
      const response = decline(passage, "gate-unavailable", tier, { headers: { "retry-after": "5" } });
      return answered(passage, tier, response, "gate-unavailable");
    }
  };
};

const earOf = ({ env, defer }: Passage): Ear => ({ control: env.TELEMETRY, defer });

/** Answers in place of a gate, with the access line that no gate writes. */
const decline = (
  { given: { method }, requestId: request }: Passage,
  code: keyof typeof gatewayCodes,
  tier: string | null,
  options: ProblemOptions = {},
): Response => {
  const { status } = gatewayCodes[code];
  const verdict = status < 500 ? "refused" : "failed";
  const time = new Date().toISOString();
  log({ type: "access", time, tier, route: null, method, status, verdict, by: "front", code, request });
  const response = answer(code, gatewayCodes[code], request, options);
  response.headers.set("x-request-id", request);
  return response;
};

/** A tier, and the binding of the gate that serves a request of it. */
interface Tier {
  readonly tier: string;
  readonly base: string;
  /** Whether a route of it keeps encoded slashes; which one has the path is for the gate to say. */
  readonly keepsSlashes: boolean;
  /** Spoofable headers that other tiers of this front accept, and this one does not. */
  readonly refuses: readonly string[];
  readonly bindingFor: (request: Request, url: Address) => string;
}

/** Most tiers have one gate, and then nothing is asked of the request. */
const gatesOf = ({ tier, base, binding, lifted, encodedSlashes }: Entry): Omit<Tier, "refuses"> => {
  const known = { tier, base, keepsSlashes: encodedSlashes === "keep" };
  if (!lifted) return { ...known, bindingFor: () => binding };
  const { canonical, find } = finder(lifted);
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

type Nowhere = "path-ambiguous" | "host-unknown" | "route-unknown";

/** The tiers of a host, then the longest base that the path lies under. An encoded slash separates nothing, for a gate neither. */
export const tierFinder = (tiers: FrontPlan["tiers"]) => {
  const accepted = acceptedBy(tiers);
  const byHost = new Map<string, { readonly under: string; readonly tier: Tier }[]>();
  for (const it of tiers.toSorted((a, b) => b.base.length - a.base.length)) {
    const tier = { ...gatesOf(it), refuses: [...accepted].filter((name) => !it.accepts?.includes(name)) };
    for (const host of it.hosts)
      byHost.set(host, [...(byHost.get(host) ?? []), { under: tier.base === "/" ? "/" : `${tier.base}/`, tier }]);
  }
  const onHost = hostFinder(byHost);
  const find = (host: string, path: string): Tier | Nowhere => {
    const candidates = onHost(host);
    if (!candidates) return "host-unknown";
    return candidates.find(({ under, tier }) => path.startsWith(under) || path === tier.base)?.tier ?? "route-unknown";
  };
  return (host: string, pathname: string): Tier | Nowhere => {
    // No gate could refuse all of these: the runtime merges empty segments on the way from Worker to Worker.
    const path = canonicalPath(pathname, "keep");
    if (path === undefined) return "path-ambiguous";
    const found = find(host, path);
    if (!hasEncodedSlash(path)) return found;
    return typeof found !== "string" && found.keepsSlashes ? found : "path-ambiguous";
  };
};

const log = (line: object) => console.log(JSON.stringify(line));

const report = ({ requestId: request }: Passage, code: string, error: unknown, tier?: string) => {
  const cause = error instanceof Error ? error.message : String(error);
  log({ type: "fault", tier, code, cause, request });
};
