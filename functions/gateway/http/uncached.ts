/**
 * Keeps a `fetch` out of the platform's cache. By default the platform serves anything with the ending of a static
 * file (`.pdf`, `.csv`, `.jpg` …) by URL alone, so one customer's file would reach the next.
 *
 * These are the settings that the runtime uses for `cache: "no-store"`. That option would also send `Cache-Control:
 * no-cache` and `Pragma: no-cache`, which the client did not send and which make a cache of the service revalidate
 * each time.
 */
export const bypassCache = { cacheTtl: -1, cacheLevel: "bypass" } as const;

/**
 * The settings for URLs that the platform could cache by default: the last segment of the path has a dot. Others go
 * without, since the settings cost a request four per cent. Source:
 * developers.cloudflare.com/cache/concepts/default-cache-behavior
 */
export const uncachedIfCacheable = (url: string): { readonly cf: typeof bypassCache } | undefined => {
  const query = url.indexOf("?");
  const end = query < 0 ? url.length : query;
  return url.lastIndexOf(".", end - 1) > url.lastIndexOf("/", end - 1) ? { cf: bypassCache } : undefined;
};
