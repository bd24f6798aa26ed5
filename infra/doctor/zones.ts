/** A zone of the environment: that the token sees it, its routes, and the DNS records and the certificate of its hosts. */
import { type Check, missing, notProvable, ok } from "./check.ts";
import { isForbidden, type Reader } from "./client.ts";
import type { RouteNeed, ZoneNeed } from "./needs.ts";
import { checkPermission, type TokenResult } from "./token.ts";

interface Zone {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly plan?: { readonly legacy_id?: string; readonly name?: string };
}

/** https://developers.cloudflare.com/workers/platform/limits/#routes-and-domains */
const maxRoutes = 1000;

const rulesPath = "rulesets/phases/http_request_late_transform/entrypoint";

/** @param atEdge whether hosts are reached by their DNS records; a local cloud takes the Host header */
export const checkZone = async (
  reader: Reader,
  token: TokenResult,
  need: ZoneNeed,
  atEdge: boolean,
): Promise<readonly Check[]> => {
  const what = `zone ${need.name}`;
  const { result = [], code } = await reader.get<readonly Zone[]>(`/zones?name=${encodeURIComponent(need.name)}`);
  const [zone] = result;
  if (!zone) {
    const why = `the token sees no such zone${code === undefined ? "" : ` (code ${code})`}; for deploy`;
    const remedy = `add the zone to the account, and Zone → Zone: Read for it to the token; if ${need.name} is not the zone, name the zones under front.zones`;
    return [missing(what, why, remedy)];
  }
  const isActive = zone.status === "active";
  const state = isActive
    ? ok(what, "active")
    : missing(what, `it is ${zone.status}`, "set its name servers at the registrar to the two that Cloudflare shows");
  const of = { name: zone.name, id: zone.id };
  const permissions = await Promise.all([
    checkPermission(reader, token, {
      ...{ group: "Workers Routes Write" as const, uses: "deploy", zone: of },
      probe: `/zones/${zone.id}/workers/routes`,
    }),
    ...(need.rules.length > 0
      ? [
          checkPermission(reader, token, {
            ...{ group: "Zone Transform Rules Write" as const, uses: "deploy of the front", zone: of },
            probe: `/zones/${zone.id}/${rulesPath}`,
          }),
        ]
      : []),
  ]);
  const others = await Promise.all([
    checkRoutes(reader, zone, need),
    checkRules(reader, zone, need),
    ...(atEdge ? [checkDns(reader, zone, need), checkCertificates(reader, zone, need)] : []),
  ]);
  return [state, ...permissions, ...others.flat()];
};

const checkRoutes = async (reader: Reader, zone: Zone, { routes }: ZoneNeed): Promise<readonly Check[]> => {
  const { result } = await reader.get<readonly { readonly pattern: string; readonly script?: string }[]>(
    `/zones/${zone.id}/workers/routes`,
  );
  if (result === undefined)
    return [notProvable(`routes of ${zone.name}`, "the token cannot read them (Workers Routes)")];
  const scriptOf = new Map(result.map(({ pattern, script }) => [pattern, script]));
  const added = routes.filter(({ pattern }) => !scriptOf.has(pattern)).length;
  const count = result.length + added;
  const limit = `routes of ${zone.name}`;
  return [
    ...routes.map((need) => checkRoute(need, scriptOf)),
    count > maxRoutes
      ? missing(
          limit,
          `with ${added} more it would have ${count}, and ${maxRoutes} are allowed`,
          "remove routes that nothing needs, or take a wildcard host",
        )
      : ok(limit, `${count} of ${maxRoutes}`),
  ];
};

const checkRoute = ({ pattern, worker }: RouteNeed, scriptOf: ReadonlyMap<string, string | undefined>): Check => {
  const what = `route ${pattern}`;
  const script = scriptOf.get(pattern);
  if (!scriptOf.has(pattern)) return ok(what, `not there yet: deploy adds it for ${worker}`);
  if (script === worker) return ok(what, `it is ${worker}'s`);
  return missing(
    what,
    script
      ? `it is assigned to the Worker ${script}`
      : "it is assigned to no Worker, which keeps the host away from all",
    `remove it from the zone's Workers routes before deploy gives it to ${worker}`,
  );
};

/** https://developers.cloudflare.com/rules/transform/#availability */
const maxRules: Readonly<Record<string, number>> = { free: 10, pro: 25, business: 50, enterprise: 300 };

const checkRules = async (reader: Reader, zone: Zone, { rules }: ZoneNeed): Promise<readonly Check[]> => {
  if (rules.length === 0) return [];
  const what = `Transform Rules of ${zone.name}`;
  const answer = await reader.get<{ readonly rules?: readonly { readonly ref?: string }[] }>(
    `/zones/${zone.id}/${rulesPath}`,
  );
  const plan = zone.plan?.legacy_id ?? "";
  const max = maxRules[plan];
  if (isForbidden(answer)) return [notProvable(what, "the token cannot read them (Zone Transform Rules)")];
  if (max === undefined)
    return [notProvable(what, `${rules.length} are needed; the limit of the plan "${plan}" is not known here`)];
  const others = (answer.result?.rules ?? []).filter(({ ref = "" }) => !rules.includes(ref)).length;
  const count = others + rules.length;
  return [
    count > max
      ? missing(
          what,
          `${others} are there and ${rules.length} more are needed, and ${zone.plan?.name} has ${max}`,
          "merge rules of others; without ours, a split of the front divides requests and not users",
        )
      : ok(what, `${count} of ${max}`),
  ];
};

interface DnsRecord {
  readonly type: string;
  readonly name: string;
  readonly proxied?: boolean;
}

const checkDns = async (reader: Reader, zone: Zone, { hosts }: ZoneNeed): Promise<readonly Check[]> => {
  const { result } = await reader.getAll<DnsRecord>(`/zones/${zone.id}/dns_records`);
  if (result === undefined)
    return [notProvable(`DNS records of ${zone.name}`, "the token cannot read them (Zone → DNS: Read)")];
  return hosts.map((host) => {
    const what = `DNS record of ${host}`;
    const records = ["A", "AAAA", "CNAME"];
    // A record of the host itself hides the wildcard's.
    const at = [host, `*.${host.split(".").slice(1).join(".")}`]
      .map((name) => result.filter((it) => it.name === name && records.includes(it.type)))
      .find((found) => found.length > 0);
    const remedy = `add a proxied record to the zone: AAAA ${host} 100::, which only the edge answers`;
    if (!at) return missing(what, "there is none", remedy);
    const bare = at.find(({ proxied }) => !proxied);
    return bare
      ? missing(
          what,
          `${bare.type} ${bare.name} is not proxied, so requests do not reach the front`,
          "turn its proxy on (the orange cloud)",
        )
      : ok(what, `${at[0]?.type} ${at[0]?.name}, proxied`);
  });
};

const checkCertificates = async (reader: Reader, zone: Zone, { hosts }: ZoneNeed): Promise<readonly Check[]> => {
  const { result } = await reader.getAll<{ readonly status: string; readonly hosts: readonly string[] }>(
    `/zones/${zone.id}/ssl/certificate_packs`,
  );
  if (result === undefined)
    return [
      notProvable(`certificates of ${zone.name}`, "the token cannot read them (Zone → SSL and Certificates: Read)"),
    ];
  const names = result.filter(({ status }) => status === "active").flatMap((it) => it.hosts);
  return hosts.map((host) => {
    const what = `certificate of ${host}`;
    const wildcard = `*.${host.split(".").slice(1).join(".")}`;
    const found = names.find((it) => it === host || it === wildcard);
    return found === undefined
      ? missing(
          what,
          `no active certificate has it; a wildcard covers one label`,
          `order one for ${host} (Advanced Certificate Manager, or Total TLS)`,
        )
      : ok(what, `${found} is active`);
  });
};
