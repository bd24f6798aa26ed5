/** Looks up host names: the exact entry, else the longest matching wildcard. */

import type { RequestUrl } from "./request-url.ts";

/** A host without port and trailing dot, in lower case as the URL standard writes it. */
export const hostOf = (url: Pick<RequestUrl, "hostname">): string =>
  url.hostname.endsWith(".") ? url.hostname.slice(0, -1) : url.hostname;

/**
 * `*.acme.example` matches every subdomain, of any depth, as the platform's zone routes do. An exact entry takes
 * precedence.
 */
export const hostFinder = <T>(entries: Iterable<readonly [host: string, T]>): ((host: string) => T | undefined) => {
  const all = new Map(entries);
  const hasWildcards = [...all.keys()].some((host) => host.startsWith("*."));
  return (host) => {
    const own = all.get(host);
    if (own !== undefined || !hasWildcards) return own;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const found = all.get(`*${host.slice(dot)}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
};

/** Whether the URL's host is an IP address, which the platform's fetch refuses. */
export const hasIpHost = (url: string): boolean =>
  URL.canParse(url) && /^(?:\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(new URL(url).hostname);
