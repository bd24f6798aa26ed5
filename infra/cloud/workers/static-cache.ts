/**
 * The platform's cache as a `fetch` of a Worker meets it by default: a URL that ends like a static file is cached, whoever
 * requests it. Cloudflare's pages "Default cache behavior" and "Origin Cache Control" say what is cached, and for how long.
 */
import { forgetOldest } from "../../../functions/gateway/core/bounded.ts";

const staticFile =
  /\.(?:7z|avi|avif|apk|bin|bmp|bz2|class|css|csv|docx?|dmg|ejs|eot|eps|exe|flac|gif|gz|ico|iso|jar|jpe?g|js|midi?|mkv|mp[34]|ogg|otf|pdf|pict|pls|png|pptx?|ps|rar|svgz?|swf|tar|tiff?|ttf|webm|webp|woff2?|xlsx?|zip|zst)$/i;

/** Time to live by status, in seconds, where the origin sets none. */
const defaultTtlSeconds: Readonly<Record<number, number>> = {
  200: 7200,
  301: 7200,
  302: 1200,
  303: 1200,
  404: 180,
  410: 180,
};

interface CachedResponse {
  readonly until: number;
  readonly body: Uint8Array;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** Responses without a body and partial ones. Neither stands for the whole resource. */
const uncacheableStatuses: readonly number[] = [204, 205, 206, 304];

const maxEntries = 200;
const maxBytes = 5 * 2 ** 20;

/** The cache options of a `fetch`. */
interface CacheOptions {
  readonly cacheTtl?: number;
  readonly cacheLevel?: string;
  readonly cacheEverything?: boolean;
}

/** @param fetchOrigin fetches from the service */
export const staticCache = (fetchOrigin: (request: Request) => Promise<Response>, now: () => number) => {
  const entries = new Map<string, CachedResponse>();
  return async (request: Request): Promise<Response> => {
    const { cacheTtl, cacheLevel, cacheEverything = false } = (request.cf ?? {}) as CacheOptions;
    const isCacheable = cacheEverything || cacheTtl !== undefined || staticFile.test(new URL(request.url).pathname);
    if (request.method !== "GET" || !isCacheable || cacheLevel === "bypass" || (cacheTtl ?? 0) < 0)
      return fetchOrigin(request);
    const entry = entries.get(request.url);
    if (entry && entry.until > now()) return toResponse(entry, "HIT");
    const response = await fetchOrigin(request);
    const seconds = cacheTtl ?? ttlSeconds(request, response);
    if (seconds <= 0 || uncacheableStatuses.includes(response.status)) return response;
    const { status, headers } = response;
    const body = await readWhole(response);
    if (!(body instanceof Uint8Array)) return new Response(body, response);
    const fresh = { until: now() + seconds * 1000, body, status, headers: [...headers] };
    entries.delete(request.url);
    entries.set(request.url, fresh);
    forgetOldest(entries, maxEntries);
    return toResponse(fresh, "MISS");
  };
};

/** @returns a stream of the same bytes where they are too many to cache */
const readWhole = async ({ body }: Response): Promise<Uint8Array | ReadableStream> => {
  const reader = body?.getReader();
  const parts: Uint8Array[] = [];
  for (let total = 0; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value as Uint8Array);
    total += (value as Uint8Array).length;
    if (total <= maxBytes) continue;
    return new ReadableStream({
      start: (controller) => parts.forEach((part) => void controller.enqueue(part)),
      pull: async (controller) => {
        const next = await reader.read();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }
  return new Uint8Array(await new Blob(parts as ConstructorParameters<typeof Blob>[0]).arrayBuffer());
};

const ttlSeconds = ({ headers }: Request, response: Response): number => {
  const control = response.headers.get("cache-control")?.toLowerCase() ?? "";
  const isPublic = /\b(?:public|s-maxage|must-revalidate)\b/.test(control);
  if (/\b(?:private|no-store|no-cache)\b/.test(control) || response.headers.has("set-cookie")) return 0;
  if (headers.has("authorization") && !isPublic) return 0;
  const [, maxAge] = /\bs-maxage=(\d+)/.exec(control) ?? /\bmax-age=(\d+)/.exec(control) ?? [];
  return maxAge === undefined ? (defaultTtlSeconds[response.status] ?? 0) : Number(maxAge);
};

const toResponse = ({ body, status, headers }: CachedResponse, cacheStatus: string): Response => {
  const copy = new Response(body as BodyInit, {
    status,
    headers: headers.map(([name, value]) => [name, value]),
  });
  copy.headers.set("cf-cache-status", cacheStatus);
  return copy;
};
