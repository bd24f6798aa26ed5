/**
 * The Transform Rules that keep a user on one version of the front. The platform chooses that version ahead of all code, by
 * the header `Cloudflare-Workers-Version-Key`, so a rule of the zone has to set it from the gray key.
 */
import type { FrontPlan } from "../../../functions/gateway/core/plan.ts";
import { versionKeyHeader } from "../../../functions/gateway/proxy/forwarding.ts";
import { type Zones, zoneOf } from "../inputs/zones.ts";

/** As the platform's API takes it, in the phase `http_request_late_transform`. */
export interface VersionKeyRule {
  /** Finds the rule again. */
  readonly ref: string;
  readonly description: string;
  readonly expression: string;
  readonly action: "rewrite";
  readonly action_parameters: {
    readonly headers: Readonly<
      Record<string, { readonly operation: "remove" } | { readonly operation: "set"; readonly expression: string }>
    >;
  };
}

export interface ZoneRules {
  /** The zone's name. */
  readonly zone: string;
  /** In this order: the last one that matches decides. */
  readonly rules: readonly VersionKeyRule[];
}

/** @param worker the front's */
export const versionKeyRules = (
  { grayKey, tiers }: Pick<FrontPlan, "grayKey" | "tiers">,
  worker: string,
  zones: Zones,
): readonly ZoneRules[] => {
  const hosts = [...new Set(tiers.flatMap((it) => it.hosts))].sort();
  const byZone = Map.groupBy(hosts, (host) => zoneOf(host.replace(/^\*\./, ""), zones));
  return [...byZone].map(([zone, some]) => ({ zone, rules: rulesOf(worker, hostCondition(some), grayKey) }));
};

const hostCondition = (hosts: readonly string[]): string => {
  const names = hosts.filter((it) => !it.startsWith("*"));
  const wildcards = hosts.filter((it) => it.startsWith("*"));
  return [
    ...(names.length > 0 ? [`http.host in {${names.map((it) => `"${it}"`).join(" ")}}`] : []),
    ...wildcards.map((it) => `ends_with(http.host, "${it.slice(1)}")`),
  ].join(" or ");
};

/** A header of the configuration wins over our cookie, as in the front. A client's own key is removed. */
const rulesOf = (worker: string, hosts: string, { header, cookie }: FrontPlan["grayKey"]): VersionKeyRule[] => {
  const set = (what: string, field: string): VersionKeyRule => ({
    ref: `${worker}-version-key-${what}`,
    description: `postern: the ${what} of the gray key keeps a user on one version of ${worker}`,
    expression: `(${hosts}) and len(${field}) > 0`,
    action: "rewrite",
    action_parameters: { headers: { [versionKeyHeader]: { operation: "set", expression: field } } },
  });
  return [
    {
      ref: `${worker}-version-key-client`,
      description: `postern: no client chooses its key for the versions of ${worker}`,
      expression: `(${hosts})`,
      action: "rewrite",
      action_parameters: { headers: { [versionKeyHeader]: { operation: "remove" } } },
    },
    set("cookie", `http.request.cookies["__Host-${cookie.replace(/^__(?:Host|Secure)-/i, "")}"][0]`),
    ...(header === undefined ? [] : [set("header", `http.request.headers["${header}"][0]`)]),
  ];
};
