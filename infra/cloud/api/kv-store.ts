/** Reads and writes values of KV namespaces. The values are the runtime's own, so Workers see them at once. */

import { ApiError, apiErrors } from "../account/api-errors.ts";
import type { AccountControl } from "../control/account-control.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { checkKey, checkPair, type Pair } from "./kv-limits.ts";

export interface KeyEntry {
  readonly name: string;
  readonly expiration?: number;
  readonly metadata?: unknown;
}

export interface KvStore {
  /** @throws ApiError if there is no such namespace */
  readonly checkNamespace: (id: string) => void;
  /** @throws ApiError if there is no such namespace or key */
  readonly get: (id: string, key: string) => Promise<Response>;
  /** Null if there is no such key. */
  readonly text: (id: string, key: string) => Promise<string | null>;
  readonly list: (
    id: string,
    query: URLSearchParams,
  ) => Promise<{ readonly keys: readonly KeyEntry[]; readonly cursor?: string }>;
  /** Checks all pairs before the first is written. */
  readonly putAll: (id: string, pairs: readonly Pair[]) => Promise<void>;
  /** Checks all keys before the first is removed. */
  readonly removeAll: (id: string, keys: readonly string[]) => Promise<void>;
}

export const kvStore = (control: AccountControl, store: Fleet["kv"]): KvStore => {
  const checkNamespace = (id: string): void => {
    if (!control.account().namespaces.has(id)) throw apiErrors.noNamespace();
  };
  const call = async (id: string, key: string, init?: RequestInit, query = ""): Promise<Response> => {
    checkKey(key);
    checkNamespace(id);
    const response = await store(id, `/${encodeURIComponent(key)}?urlencoded=true${query}`, init);
    if (response.status === 404) throw apiErrors.noKey();
    if (!response.ok) throw new ApiError(response.status === 413 ? 413 : 400, 10001, (await response.text()).trim());
    return response;
  };
  return {
    checkNamespace,
    get: (id, key) => call(id, key),
    text: async (id, key) => {
      try {
        return await (await call(id, key)).text();
      } catch (error) {
        if (error instanceof ApiError && error.code === apiErrors.noKey().code) return null;
        throw error;
      }
    },
    list: async (id, query) => {
      checkNamespace(id);
      const response = await store(id, `/?${query}`);
      if (!response.ok) throw new ApiError(400, 10001, (await response.text()).trim());
      return (await response.json()) as Awaited<ReturnType<KvStore["list"]>>;
    },
    putAll: async (id, pairs) => {
      checkNamespace(id);
      pairs.forEach(checkPair);
      for (const { key, value, metadata, ...expiry } of pairs) {
        const headers = metadata === undefined ? {} : { "cf-kv-metadata": JSON.stringify(metadata) };
        await (await call(id, key, { method: "PUT", body: value, headers }, expiryQuery(expiry))).arrayBuffer();
      }
    },
    removeAll: async (id, keys) => {
      keys.forEach(checkKey);
      for (const key of keys) await (await call(id, key, { method: "DELETE" })).arrayBuffer();
    },
  };
};

const expiryQuery = ({ expiration, expiration_ttl }: Pick<Pair, "expiration" | "expiration_ttl">): string =>
  Object.entries({ expiration, expiration_ttl })
    .map(([name, value]) => (value === undefined ? "" : `&${name}=${value}`))
    .join("");
