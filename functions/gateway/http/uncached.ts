/**
 * Keeps a `fetch` out of the platform's cache. By default that answers whatever ends like a static file (`.pdf`, `.csv`,
 * `.jpg` …) by its URL alone, so one customer's file would reach the next.
 *
 * These are the settings that the runtime makes of `cache: "no-store"`. That would also send `Cache-Control: no-cache` and
 * `Pragma: no-cache`, which no client said, and which make a cache of the service's own ask anew each time.
 */
export const bypassCache = { cacheTtl: -1, cacheLevel: "bypass" } as const;

/**
 * The settings of a request that the platform could keep by itself: it keeps what has an ending, so the last segment of the path
 * has a dot. Others go without, since settings cost a request four per cent.
 * Source: developers.cloudflare.com/cache/concepts/default-cache-behavior
 */
export const uncachedIfCacheable = (url: string): { readonly cf: typeof bypassCache } | undefined => {
  const query = url.indexOf("?");
  const end = query < 0 ? url.length : query;
  return url.lastIndexOf(".", end - 1) > url.lastIndexOf("/", end - 1) ? { cf: bypassCache } : undefined;
};
