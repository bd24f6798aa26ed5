/** Audit rules for body sizes and timeouts. */
import { bytes, milliseconds } from "../../../../functions/gateway/core/quantities.ts";
import { isEnforced } from "../../../compiler/check/rules/enforced.ts";
import type { CheckedRoute, CheckedTier } from "../../../compiler/model/checked.ts";
import { filtersWith, hasUpstream, upstreamNames } from "../rule-kit/chains.ts";
import type { RawFinding, Rule } from "../rule-kit/rule.ts";

const maxBody = "100MiB";

export const wideBody: Rule = {
  id: "wide-body",
  severity: "medium",
  summary: "Bodies may be larger than most services can handle.",
  incident:
    "A service that reads whole bodies into memory is stopped by a dozen requests of a gigabyte, which cost the sender almost nothing.",
  remedy:
    "Set what the API needs: a `body-limit` on the routes with large bodies, and a small `limits.body` for all others. Send larger uploads straight to a bucket.",
  check: ({ tier }) => tier.routes.filter(hasUpstream).flatMap((route) => wideBodies(tier, route)),
};

const wideBodies = ({ source, manifest }: CheckedTier, { name, chain }: CheckedRoute): RawFinding[] => {
  const bounds = filtersWith(chain, "bodyLimit").filter(({ filter }) => isEnforced(filter));
  const limit = bounds.at(-1)?.filter;
  const max = bounds.at(-1)?.fact ?? manifest.limits.body;
  if (bytes(max) <= bytes(maxBody)) return [];
  const message = `bodies of ${name} may have ${max}`;
  const remedy = `${maxBody} at most`;
  return [
    limit
      ? { source: limit.source, at: limit.entry, key: limit.use, message, remedy }
      : { source, at: ["limits", "body"], message, remedy },
  ];
};

const maxClientWait = "60s";

export const outlastedClient: Rule = {
  id: "outlasted-client",
  severity: "medium",
  summary: "A route waits longer for its service than clients wait for a response.",
  incident:
    "Requests that outlasted their clients were retried while the first attempts were still running, which kept a service down for hours (DynamoDB, 2015).",
  remedy:
    "Set 60s at most, which is when HTTP libraries, phones and load balancers give up. Accept longer work with 202, and let clients poll.",
  check: ({ tier }) =>
    tier.routes
      .filter((route) => hasUpstream(route) && route.settings.upgrade === undefined)
      .flatMap((route) => outlastingUpstreams(tier, route)),
};

const outlastingUpstreams = (tier: CheckedTier, { name, chain, ...route }: CheckedRoute): RawFinding[] => {
  const timeouts = filtersWith(chain, "deadline").filter(({ filter }) => isEnforced(filter));
  const shortest = Math.min(...timeouts.map(({ fact }) => milliseconds(fact)));
  return upstreamNames({ name, chain, ...route }).flatMap((upstream): RawFinding[] => {
    const timeout = tier.upstreams[upstream]?.timeout;
    if (timeout === undefined || Math.min(milliseconds(timeout), shortest) <= milliseconds(maxClientWait)) return [];
    return [
      {
        source: tier.source,
        at: ["upstreams", upstream, "timeout"],
        message: `${upstream} may take ${timeout}; clients of ${name} have given up or retried by then`,
        remedy: `${maxClientWait} at most, here or by \`timeout\` on the route`,
      },
    ];
  });
};
