/** Which zone holds a host. */

export type Zones = readonly string[] | undefined;

/** The longest zone that holds a host. */
export const longestZone = (host: string, zones: readonly string[]): string | undefined =>
  zones.filter((zone) => `.${host}`.endsWith(`.${zone}`)).toSorted((a, b) => b.length - a.length)[0];

const zoneName = (host: string, zones: Zones): string =>
  (zones && longestZone(host, zones)) ?? host.split(".").slice(-2).join(".");

/** Wrangler finds no zone for a host of one label, which only a local cloud has; it takes an id as it is. */
export const routeZone = (host: string, zones: Zones): { readonly zone_name: string } | { readonly zone_id: string } =>
  host.includes(".") ? { zone_name: zoneName(host, zones) } : { zone_id: host };
