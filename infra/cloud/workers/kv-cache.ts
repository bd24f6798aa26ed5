/** Caches reads of KV as a location far from the writer sees them: late, also where a key is missing. */
import { forgetOldest } from "../../../functions/gateway/core/bounded.ts";

/** A Response itself would belong to the request that read it. */
interface CachedRead {
  readonly until: number;
  readonly body: ArrayBuffer;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
}

const maxReads = 1000;

export const kvCache = (now: () => number) => {
  const reads = new Map<string, CachedRead>();
  return async (key: string, ttlMs: number, read: () => Promise<Response>): Promise<Response> => {
    let cached = reads.get(key);
    if (!cached || cached.until <= now()) {
      const fresh = await read();
      const { status, headers } = fresh;
      cached = { until: now() + ttlMs, body: await fresh.arrayBuffer(), status, headers: [...headers] };
      reads.set(key, cached);
      forgetOldest(reads, maxReads);
    }
    const { body, status, headers } = cached;
    return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
  };
};
