/** Finds the tier of a request, and the binding of the gate that serves it. */

import type { FrontPlan } from "../gateway/core/plan.ts";
import { hostFinder } from "../gateway/http/hosts.ts";
import { canonicalPath, hasEncodedSlash } from "../gateway/http/path.ts";
import { preflightMethod } from "../gateway/http/preflight.ts";
import type { RequestUrl } from "../gateway/http/request-url.ts";
import { acceptedHeadersOf } from "../gateway/proxy/spoofable-headers.ts";
import { createRouteFinder } from "../gateway/routing/finder.ts";

type TierEntry = FrontPlan["tiers"][number];

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

export type NotFoundCode = "path-ambiguous" | "host-unknown" | "route-unknown";

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
