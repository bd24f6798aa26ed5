/**
 * Keeps a `fetch` out of the platform's cache. By default that answers whatever ends like a static file (`.pdf`, `.csv`,
 * `.jpg` …) by its URL alone, so one customer's file would reach the next.
 *
 * These are the settings that the runtime makes of `cache: "no-store"`. That would also send `Cache-Control: no-cache` and
 * `Pragma: no-cache`, which no client said, and which make a cache of the service's own ask anew each time.
 */
export const uncached = { cacheTtl: -1, cacheLevel: "bypass" } as const;
