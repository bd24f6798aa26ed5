/** Finds what a host name stands for: its own entry, else that of the longest wildcard over it. */

import type { RequestUrl } from "./request-url.ts";

/** A host without its port, in lower case as the URL standard has it, and without the dot of a fully qualified name. */
export const hostOf = (url: Pick<RequestUrl, "hostname">): string =>
  url.hostname.endsWith(".") ? url.hostname.slice(0, -1) : url.hostname;

/**
 * `*.acme.example` stands for every name beneath acme.example, of any depth, as the platform's zone routes do. A name that
 * has an entry of its own is not looked for among wildcards.
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

/** The platform's fetch takes names only. */
export const hasIpHost = (url: string): boolean =>
  URL.canParse(url) && /^(?:\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(new URL(url).hostname);
