/** The thin Worker ahead of the gates: cleans headers, names the request, sets the gray key, finds the tier. */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { cookie } from "./gateway/cookies.ts";
import { answer, gatewayCodes, type ProblemOptions } from "./gateway/faults.ts";
import type { Ear, FrontTelemetry } from "./gateway/front-telemetry.ts";
import {
  cleanse,
  grayKeyHeader,
  overridesHeader,
  parentSpanHeader,
  parentSpanOf,
  requestIdHeader,
  smokeHeader,
  traceparentOf,
  versionKeyHeader,
  writeTrace,
} from "./gateway/hop.ts";
import { hostFinder, hostOf } from "./gateway/hosts.ts";
import { type Label, type Labels, labelHeader } from "./gateway/label.ts";
import { canonicalPath } from "./gateway/path.ts";
import type { FrontPlan } from "./gateway/plan.ts";
import { preflightMethod } from "./gateway/preflight.ts";
import { router } from "./gateway/router.ts";

interface FrontTypes {
  readonly Bindings: Readonly<Record<string, Fetcher>>;
  readonly Variables: {
    /** The request that goes on: the front's one copy, cleaned. */
    onward: Request;
    requestId: string;
    /** That the caller bears, and that holds. */
    label: Label | undefined;
  };
}

/**
 * @param labels of testers, where control signs them
 * @param telemetry where control is to be told what the front saw
 */
export const front = (plan: FrontPlan, labels?: Labels, telemetry?: FrontTelemetry) =>
  new Hono<FrontTypes>()
    .use(cleanHeaders)
    .use(nameRequest)
    .use(keepOnOneVersion(plan.grayKey))
    .use(readLabel(labels))
    .use(sayWhatIsMissing(plan.tiers))
    .all("*", toGate(plan.tiers, telemetry))
    .onError((error, c) => {
      report(c, "internal", error);
      return decline(c, "internal", null);
    });

/** Nothing that the gateway uses inside is taken from outside. */
const cleanHeaders = createMiddleware<FrontTypes>((c, next) => {
  const onward = new Request(c.req.raw);
  cleanse(onward.headers);
  c.set("onward", onward);
  return next();
});

/** A request id of our own, and the caller's trace continued (W3C Trace Context). */
const nameRequest = createMiddleware<FrontTypes>((c, next) => {
  const { headers } = c.get("onward");
  const requestId = crypto.randomUUID();
  c.set("requestId", requestId);
  headers.set(requestIdHeader, requestId);
  const traceparent = traceparentOf(headers, () => crypto.randomUUID());
  const parent = parentSpanOf(headers, traceparent);
  if (parent) headers.set(parentSpanHeader, parent);
  writeTrace(headers, traceparent);
  return next();
});

/** A key that steers nothing but stickiness, so its only rule is to be short and plain. */
const plainKey = /^[\w.:@-]{1,128}$/;

/** The gray key: the configured header, else our cookie, else a new cookie. The platform splits versions by it. */
const keepOnOneVersion = ({ header, cookie: name }: FrontPlan["grayKey"]) =>
  createMiddleware<FrontTypes>(async (c, next) => {
    const { headers } = c.get("onward");
    const brought = [header && headers.get(header), cookie(headers, name)].find((key) => key && plainKey.test(key));
    const key = brought || crypto.randomUUID();
    headers.set(grayKeyHeader, key);
    headers.set(versionKeyHeader, key);
    await next();
    if (!brought && wantsCookie(c.req.raw))
      c.header("set-cookie", `${name}=${key}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax`, {
        append: true,
      });
  });

/** No gate sees a label. One that does not hold is as none. */
const readLabel = (labels: Labels | undefined) =>
  createMiddleware<FrontTypes>(async (c, next) => {
    const { headers } = c.get("onward");
    const label = headers.get(labelHeader);
    if (label !== null) {
      headers.delete(labelHeader);
      c.set("label", await labels?.(label, Date.now()));
    }
    await next();
  });

/** Who bears a label meets the versions that it names, in the tiers that it is for. Elsewhere he is counted as any user. */
const letTestersChoose = (headers: Headers, tier: string, label: Label | undefined): void => {
  if (!label?.tiers.includes(tier)) return;
  headers.set(overridesHeader, label.versions);
  headers.set(smokeHeader, "1");
};

/** Only browsers keep cookies: they alone say where a fetch comes from (Fetch Metadata Request Headers). */
const wantsCookie = ({ headers }: Request): boolean => headers.has("sec-fetch-site") && !headers.has("upgrade");

/** A front by itself, as a bare `wrangler deploy` makes it, answers under any host, and says what belongs behind it. */
const sayWhatIsMissing = (tiers: FrontPlan["tiers"]) =>
  createMiddleware<FrontTypes>(async (c, next) => {
    if (tiers.some(({ binding }) => c.env[binding])) return next();
    const names = tiers.map(({ tier }) => tier).join(", ");
    const detail = `Nothing is deployed behind this front yet (${names}). npx postern deploy brings all of it`;
    return decline(c, "tier-not-deployed", null, { detail });
  });

const toGate = (tiers: FrontPlan["tiers"], telemetry: FrontTelemetry | undefined) => {
  const find = tierFinder(tiers);
  const answered = (c: Context<FrontTypes>, tier: string, response: Response, code: string): Response => {
    telemetry?.answered(earOf(c), tier, response.status, code, c.get("onward").headers);
    return response;
  };
  return createMiddleware<FrontTypes>(async (c) => {
    const url = new URL(c.req.url);
    const path = canonicalPath(url.pathname);
    const found = path === undefined ? "path-ambiguous" : find(hostOf(url), path);
    if (typeof found === "string") return decline(c, found, null);
    // Cleaned, as the gate will see it, so that both find the same route.
    const gate = c.env[found.bindingFor(c.get("onward"), path as string, url)];
    const { tier } = found;
    letTestersChoose(c.get("onward").headers, tier, c.get("label"));
    if (!gate) return answered(c, tier, decline(c, "tier-not-deployed", tier), "tier-not-deployed");
    try {
      return answered(c, tier, await gate.fetch(c.get("onward")), "");
    } catch (error) {
      report(c, "gate-unavailable", error, tier);
      if (!c.req.raw.signal.aborted) telemetry?.died(earOf(c), tier, gate, c.get("onward").headers);
      const response = decline(c, "gate-unavailable", tier, { headers: { "retry-after": "5" } });
      return answered(c, tier, response, "gate-unavailable");
    }
  });
};

const earOf = ({ env, executionCtx }: Context<FrontTypes>): Ear => ({
  control: env.TELEMETRY,
  defer: (work) => executionCtx.waitUntil(work),
});

/** Answers in place of a gate, with the access line that no gate writes. */
const decline = (
  c: Context<FrontTypes>,
  code: keyof typeof gatewayCodes,
  tier: string | null,
  options: ProblemOptions = {},
): Response => {
  const { method } = c.req;
  const { status } = gatewayCodes[code];
  const request = c.get("requestId");
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
  readonly bindingFor: (request: Request, path: string, url: URL) => string;
}

/** Most tiers have one gate, and then nothing is asked of the request. */
const gatesOf = ({ tier, base, binding, lifted }: FrontPlan["tiers"][number]): Tier => {
  if (!lifted) return { tier, base, bindingFor: () => binding };
  const match = router(lifted.table);
  const bindings = new Map(Object.entries(lifted.bindings));
  return {
    tier,
    base,
    bindingFor: (request, path, url) => {
      const found = match(preflightMethod(request) ?? request.method, path, request, url);
      return (found.kind === "found" && bindings.get(found.route)) || binding;
    },
  };
};

/** The tiers of a host, then the longest base that the path lies under. */
export const tierFinder = (tiers: FrontPlan["tiers"]) => {
  const byHost = new Map<string, { readonly under: string; readonly tier: Tier }[]>();
  for (const it of tiers.toSorted((a, b) => b.base.length - a.base.length)) {
    const tier = gatesOf(it);
    for (const host of it.hosts)
      byHost.set(host, [...(byHost.get(host) ?? []), { under: tier.base === "/" ? "/" : `${tier.base}/`, tier }]);
  }
  const onHost = hostFinder(byHost);
  return (host: string, path: string): Tier | "host-unknown" | "route-unknown" => {
    const candidates = onHost(host);
    if (!candidates) return "host-unknown";
    return candidates.find(({ under, tier }) => path.startsWith(under) || path === tier.base)?.tier ?? "route-unknown";
  };
};

const log = (line: object) => console.log(JSON.stringify(line));

const report = (c: Context<FrontTypes>, code: string, error: unknown, tier?: string) => {
  const cause = error instanceof Error ? error.message : String(error);
  log({ type: "fault", tier, code, cause, request: c.get("requestId") });
};
