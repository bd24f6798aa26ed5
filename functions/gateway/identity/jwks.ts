/** An issuer's public keys (RFC 7517): in this isolate's memory, else in the location's cache, else from the issuer. */
import type { JSONWebKeySet, JWK } from "jose";
import type { Deps } from "../core/types.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { readJson } from "../http/read-stream.ts";
import { sharedCache } from "./shared-cache.ts";
import { isRoca, publicMembers, secretMembers, type VerificationKeys, verificationKeys } from "./verification-keys.ts";

export interface IssuerKeys extends VerificationKeys {
  /** Tells one set of keys from another. */
  readonly text: string;
}

export interface KeySet {
  /** Keys that need nobody to be asked; undefined where the issuer would be. */
  readonly fresh: () => IssuerKeys | undefined;
  /** @throws where there are no keys to be had: the issuer is down, and no copy is young enough */
  readonly current: () => IssuerKeys | Promise<IssuerKeys>;
  /** For a token that none of these verifies: newer ones, or undefined where the issuer was asked a moment ago. */
  readonly newerThan: (keys: IssuerKeys) => Promise<IssuerKeys | undefined>;
}

/** The keys, at once where they are here. @param onUnavailable throws in place of what is thrown where there are none */
export const keysOrFail = (
  current: KeySet["current"],
  onUnavailable: (cause: unknown) => never,
): IssuerKeys | Promise<IssuerKeys> => {
  try {
    const keys = current();
    return keys instanceof Promise ? keys.catch(onUnavailable) : keys;
  } catch (cause) {
    return onUnavailable(cause);
  }
};

export interface KeySetOptions {
  /** Whose gate asks: a tier believes no entry of another one. */
  readonly tier: string;
  /** Whose keys they are. */
  readonly issuer: string;
  readonly url: string;
  /** How long keys are used before they are asked for again. */
  readonly freshMs: number;
  /** How much longer, where the issuer does not answer. */
  readonly staleMs: number;
  /** The least time between two questions to the issuer, from all isolates of a location together. */
  readonly cooldownMs: number;
}

export const staticKeySet = (keys: JSONWebKeySet["keys"]): KeySet => {
  const all = keysOf(keys);
  return { fresh: () => all, current: () => all, newerThan: async () => undefined };
};

const keysOf = (keys: JSONWebKeySet["keys"]): IssuerKeys => ({ ...verificationKeys(keys), text: JSON.stringify(keys) });

const fetchTimeoutMs = 5_000;
/** Also bounds how many keys there are: the smallest takes eighty bytes. */
const maxSetBytes = 256 * 1024;

/** What a location knows. Milliseconds since the epoch. */
interface CacheEntry {
  readonly triedAt: number;
  readonly fetchedAt: number;
  readonly keys: JSONWebKeySet["keys"] | null;
}

interface CachedKeys extends CacheEntry {
  readonly loaded: IssuerKeys | undefined;
}

const emptyCache: CachedKeys = {
  triedAt: Number.NEGATIVE_INFINITY,
  fetchedAt: Number.NEGATIVE_INFINITY,
  keys: null,
  loaded: undefined,
};

export const remoteKeySet = (
  { tier, issuer, url, freshMs, staleMs, cooldownMs }: KeySetOptions,
  deps: Deps,
): KeySet => {
  let cached = emptyCache;
  let pendingRefresh: { readonly done: Promise<void>; readonly since: number } | undefined;

  const store = (entry: CacheEntry): void => {
    const same = cached.loaded && JSON.stringify(entry.keys) === cached.loaded.text;
    cached = { ...entry, loaded: entry.keys ? (same ? cached.loaded : keysOf(entry.keys)) : undefined };
  };
  const lifeMs = freshMs + staleMs;
  const shared = sharedCache(["keys", tier, issuer, url], deps);

  /** Isolates of a location tell each other what they have, and when they asked; without the cache each is on its own. */
  const publish = async (entry: CacheEntry): Promise<void> => {
    store(entry);
    await shared.write(entry, lifeMs);
  };
  let sharedReadAt = Number.NEGATIVE_INFINITY;
  /** @param now or never: before the issuer is asked */
  const readShared = async (now: boolean): Promise<void> => {
    // A flood of unknown keys is no reason to read the cache for each of them.
    if (!now && deps.now() < sharedReadAt + 1000) return;
    sharedReadAt = deps.now();
    const entry = parseCacheEntry(await shared.read(), deps.now());
    if (!entry) return;
    const triedAt = Math.max(entry.triedAt, cached.triedAt);
    // Who asks just now may have had nothing: that is no reason to let go of a copy.
    if (entry.fetchedAt > cached.fetchedAt) store({ ...entry, triedAt });
    else cached = { ...cached, triedAt };
  };

  const refresh = async (): Promise<void> => {
    const isDue = () => deps.now() >= cached.triedAt + cooldownMs;
    await readShared(isDue());
    if (!isDue()) return;
    const now = deps.now();
    // Told before asking, so that the others of the location do not ask as well.
    await publish({ ...cached, triedAt: now });
    try {
      const keys = await withTimeout(fetchTimeoutMs, deps, (signal) => download(url, signal, deps));
      await publish({ triedAt: now, fetchedAt: now, keys });
    } catch (cause) {
      const { message } = cause instanceof Error ? cause : new Error(String(cause));
      deps.log({
        type: "degraded",
        issuer: url,
        cause: message.slice(0, 300),
        keys: cached.keys ? "last good copy" : "none",
      });
    }
  };

  /**
   * One question at a time. Who began it may be gone with its client, and its promise never settles then: nobody waits for it
   * longer than it may take, and after that it is no question any more.
   */
  const currentRefresh = (): Promise<void> | undefined =>
    pendingRefresh && deps.now() < pendingRefresh.since + fetchTimeoutMs ? pendingRefresh.done : undefined;
  const refreshOnce = async (): Promise<void> => {
    const running = currentRefresh();
    if (running) return withTimeout(fetchTimeoutMs, deps, () => running).catch(() => {});
    const own = { done: refresh(), since: deps.now() };
    pendingRefresh = own;
    try {
      await own.done;
    } finally {
      if (pendingRefresh === own) pendingRefresh = undefined;
    }
  };

  const usableKeys = (): IssuerKeys => {
    if (cached.loaded && deps.now() < cached.fetchedAt + lifeMs) return cached.loaded;
    throw new Error(`the keys of ${url} are not to be had`);
  };

  const fresh = (): IssuerKeys | undefined => (deps.now() < cached.fetchedAt + freshMs ? cached.loaded : undefined);

  return {
    fresh,
    current: () => {
      const keys = fresh();
      if (keys) return keys;
      if (deps.now() < cached.triedAt + cooldownMs && cached.loaded) return usableKeys();
      // With a copy at hand, nobody waits for whoever is asking already.
      return currentRefresh() && cached.loaded ? usableKeys() : refreshOnce().then(usableKeys);
    },
    newerThan: async (keys) => {
      if (cached.loaded === keys) await (deps.now() < cached.triedAt + cooldownMs ? readShared(false) : refreshOnce());
      return cached.loaded && cached.loaded !== keys ? cached.loaded : undefined;
    },
  };
};

/** How far the clocks of a location's machines may be apart. */
const clockSkewMs = 5_000;

/**
 * What another isolate wrote, read as strictly as the issuer's own answer.
 * @returns undefined for what is no entry, and for one from the future, which would be believed too long
 */
const parseCacheEntry = (value: unknown, now: number): CacheEntry | undefined => {
  const { triedAt, fetchedAt, keys } = (value ?? {}) as { readonly [K in keyof CacheEntry]?: unknown };
  // JSON writes null for the time of what has not happened.
  const fetched = fetchedAt === null ? Number.NEGATIVE_INFINITY : fetchedAt;
  if (typeof triedAt !== "number" || typeof fetched !== "number") return undefined;
  if (Math.max(triedAt, fetched) > now + clockSkewMs) return undefined;
  const times = { triedAt: Math.min(triedAt, now), fetchedAt: Math.min(fetched, now) };
  if (keys === null) return { ...times, keys };
  return Array.isArray(keys) && keys.length > 0 && keys.every(isPublic) ? { ...times, keys } : undefined;
};

const download = async (url: string, signal: AbortSignal, deps: Deps): Promise<JSONWebKeySet["keys"]> => {
  const response = await deps.fetch(url, {
    headers: { accept: "application/jwk-set+json, application/json" },
    redirect: "manual",
    signal,
  });
  if (!response.ok) throw new Error(`the issuer answered with status ${response.status}`);
  const { keys } = ((await readJson(response, maxSetBytes)) ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("the issuer answered with no key set");
  const usableKeys = keys.filter(isPublic);
  // It verifies nothing here, as a short key does; its issuer has to hear of it.
  if (usableKeys.some((it) => isRoca(it as JWK)))
    deps.log({ type: "degraded", issuer: url, cause: weakKeyCause, keys: "without it" });
  if (usableKeys.length === 0) throw new Error("the issuer publishes no key for signatures");
  return usableKeys;
};

const weakKeyCause = "the private half of a key can be computed (ROCA, CVE-2017-15361)";

/**
 * What cannot be used is ignored (RFC 7517, section 5); a set of nothing else replaces no good copy. A private or symmetric key
 * in a public place verifies nothing any more.
 */
const isPublic = (key: unknown): boolean => {
  if (typeof key !== "object" || key === null) return false;
  const { kty, use, ...members } = key as Readonly<Record<string, unknown>>;
  return (
    typeof kty === "string" &&
    Object.hasOwn(publicMembers, kty) &&
    publicMembers[kty as keyof typeof publicMembers].every((it) => typeof members[it] === "string") &&
    secretMembers.every((it) => (members[it] ?? null) === null) &&
    (use ?? "sig") === "sig"
  );
};
