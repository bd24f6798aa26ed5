/** Checks and normalizes Gateway API hostnames as hosts of a manifest. */
import { hostOrWildcard } from "../../../../../functions/manifest/names.ts";

/** A variable that Flux or envsubst substitutes: `app.${SECRET_DOMAIN}`. */
const placeholderPattern = /\$\{[^}]+\}|\$\([^)]+\)|\$[A-Za-z_]\w*/;

export const isPlaceholder = (host: string): boolean => placeholderPattern.test(host);

/** Lower case, except variables that are substituted later. */
export const normalizeHost = (host: string): string => (isPlaceholder(host) ? host : host.toLowerCase());

const hostSchema = hostOrWildcard();

/** Why a hostname is invalid, or undefined. */
export const hostProblem = (host: string): string | undefined => {
  if (isPlaceholder(host)) return undefined;
  if (/^[\d.]+$/.test(host) || host.includes(":"))
    return `${host} is not a host name: addresses and ports are not allowed`;
  const withoutWildcard = isTooWide(host) ? host.slice(2) : host;
  return hostSchema.safeParse(normalizeHost(withoutWildcard)).success ? undefined : `${host} is not a host name`;
};

/** A wildcard over a whole top-level domain. A tier cannot have it; a listener can, for routes that name hosts below it. */
export const isTooWide = (host: string): boolean => /^\*\.[^.]+$/.test(host) && !isPlaceholder(host);

/** Whether a wildcard covers a host, or a wildcard below it. */
export const wildcardCovers = (wildcard: string, host: string): boolean =>
  wildcard.startsWith("*.") && host !== wildcard && host.replace(/^\*\./, "x.").endsWith(wildcard.slice(1));
