/** Finds the Cloudflare zone of a host. */

export type Zones = readonly string[] | undefined;

/** The longest zone that contains the host. */
export const longestZone = (host: string, zones: readonly string[]): string | undefined =>
  zones.filter((zone) => `.${host}`.endsWith(`.${zone}`)).toSorted((a, b) => b.length - a.length)[0];

/** The name of a host's zone. */
export const zoneOf = (host: string, zones: Zones): string =>
  (zones && longestZone(host, zones)) ?? host.split(".").slice(-2).join(".");

/** The zone of a wrangler route. For a host of one label, which only a local cloud has, wrangler finds no zone by name; an id is used as is. */
export const routeZone = (host: string, zones: Zones): { readonly zone_name: string } | { readonly zone_id: string } =>
  host.includes(".") ? { zone_name: zoneOf(host, zones) } : { zone_id: host };
