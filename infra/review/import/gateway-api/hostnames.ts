/** Hostnames of the Gateway API as hosts of a manifest. */
import { hostOrWildcard } from "../../../../functions/gateway/names.ts";

/** What Flux and envsubst put in later: `app.${SECRET_DOMAIN}`. */
const placeholder = /\$\{[^}]+\}|\$\([^)]+\)|\$[A-Za-z_]\w*/;

export const isPlaceholder = (host: string): boolean => placeholder.test(host);

/** As it is compared: in lower case, but for what is put in later. */
export const compared = (host: string): string => (isPlaceholder(host) ? host : host.toLowerCase());

const known = hostOrWildcard();

/** Why no manifest can have it, or undefined. */
export const hostProblem = (host: string): string | undefined => {
  if (isPlaceholder(host)) return undefined;
  if (/^[\d.]+$/.test(host) || host.includes(":")) return `${host} is no name: a host has no address and no port`;
  if (/^\*\.[^.]+$/.test(host)) return `${host} is a wildcard over a whole top-level domain, which no tier can have`;
  return known.safeParse(compared(host)).success ? undefined : `${host} is no host name`;
};

/** Whether a wildcard stands for a host, or for a wildcard beneath it. */
export const covers = (wildcard: string, host: string): boolean =>
  wildcard.startsWith("*.") && host !== wildcard && host.replace(/^\*\./, "x.").endsWith(wildcard.slice(1));
