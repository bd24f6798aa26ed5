/**
 * Loads an issuer's public keys (RFC 7517): from this isolate's memory, else the location's cache, else the issuer.
 */
import type { JSONWebKeySet, JWK } from "jose";
import type { Deps } from "../core/types.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { readJson } from "../http/read-stream.ts";
import { sharedCache } from "./shared-cache.ts";
import { isRoca, publicMembers, secretMembers, type VerificationKeys, verificationKeys } from "./verification-keys.ts";

export interface IssuerKeys extends VerificationKeys {
  /** Identifies the set of keys. */
  readonly text: string;
}

export interface KeySet {
  /** Keys that are fresh in memory; undefined when they have to be loaded. */
  readonly fresh: () => IssuerKeys | undefined;
  /** @throws when no keys are available: the issuer is down and no copy is recent enough */
  readonly current: () => IssuerKeys | Promise<IssuerKeys>;
  /** Newer keys, for a token that none of these verifies; undefined during the cool-down. */
  readonly newerThan: (keys: IssuerKeys) => Promise<IssuerKeys | undefined>;
}

/**
 * The keys, synchronously when they are in memory.
 * @param onUnavailable throws the error for unavailable keys
 */
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
  /** The tier of the gate. Tiers do not share cache entries. */
  readonly tier: string;
  /** The issuer of the tokens. */
  readonly issuer: string;
  readonly url: string;
  /** How long keys are used before they are reloaded. */
  readonly freshMs: number;
  /** How much longer keys are used when the issuer does not respond. */
  readonly staleMs: number;
  /** The least time between two requests to the issuer, from all isolates of a location together. */
  readonly cooldownMs: number;
}

export const staticKeySet = (keys: JSONWebKeySet["keys"]): KeySet => {
  const all = keysOf(keys);
  return { fresh: () => all, current: () => all, newerThan: async () => undefined };
};

const keysOf = (keys: JSONWebKeySet["keys"]): IssuerKeys => ({ ...verificationKeys(keys), text: JSON.stringify(keys) });

const fetchTimeoutMs = 5_000;
/** Also bounds the number of keys: the smallest takes eighty bytes. */
const maxSetBytes = 256 * 1024;

/** A cache entry, shared within a location. Times are milliseconds since the epoch. */
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

/** The keys that an isolate has. */
interface KeySetState {
  cached: CachedKeys;
  /** When the location's cache was read last, in milliseconds since the epoch. */
  sharedReadAt: number;
}

export const remoteKeySet = (options: KeySetOptions, deps: Deps): KeySet => {
  const { url, freshMs, staleMs, cooldownMs } = options;
  const lifeMs = freshMs + staleMs;
  const state: KeySetState = { cached: emptyCache, sharedReadAt: Number.NEGATIVE_INFINITY };
  const { publish, readShared } = sharedKeys(state, options, deps);
  const isDue = () => deps.now() >= state.cached.triedAt + cooldownMs;

  const refresh = async (): Promise<void> => {
    await readShared(isDue());
    if (!isDue()) return;
    const now = deps.now();
    // Published first, so that other isolates of the location do not request as well.
    await publish({ ...state.cached, triedAt: now });
    try {
      const keys = await withTimeout(fetchTimeoutMs, deps, (signal) => download(url, signal, deps));
      await publish({ triedAt: now, fetchedAt: now, keys });
    } catch (cause) {
      logFailure(url, cause, state, deps);
    }
  };

  const { running, refreshOnce } = oneAtATime(refresh, deps);
  const usableKeys = (): IssuerKeys => {
    const { loaded, fetchedAt } = state.cached;
    if (loaded && deps.now() < fetchedAt + lifeMs) return loaded;
    throw new Error(`the keys of ${url} are not available`);
  };
  const fresh = (): IssuerKeys | undefined =>
    deps.now() < state.cached.fetchedAt + freshMs ? state.cached.loaded : undefined;

  return {
    fresh,
    current: () => {
      const keys = fresh();
      if (keys) return keys;
      if (!isDue() && state.cached.loaded) return usableKeys();
      // With a usable copy, nobody waits for a running refresh.
      return running() && state.cached.loaded ? usableKeys() : refreshOnce().then(usableKeys);
    },
    newerThan: async (keys) => {
      if (state.cached.loaded === keys) await (isDue() ? refreshOnce() : readShared(false));
      const { loaded } = state.cached;
      return loaded !== keys ? loaded : undefined;
    },
  };
};

/**
 * Runs one refresh at a time. Its client may disconnect, and the promise then never settles, so others wait no longer
 * than its timeout and then ignore it.
 */
const oneAtATime = (refresh: () => Promise<void>, deps: Pick<Deps, "after" | "now">) => {
  let pending: { readonly done: Promise<void>; readonly since: number } | undefined;
  const running = (): Promise<void> | undefined =>
    pending && deps.now() < pending.since + fetchTimeoutMs ? pending.done : undefined;
  const refreshOnce = async (): Promise<void> => {
    const other = running();
    if (other) return withTimeout(fetchTimeoutMs, deps, () => other).catch(() => {});
    const own = { done: refresh(), since: deps.now() };
    pending = own;
    try {
      await own.done;
    } finally {
      if (pending === own) pending = undefined;
    }
  };
  return { running, refreshOnce };
};

/** Isolates of a location share keys and the time of the last attempt. Without the cache each works alone. */
const sharedKeys = (state: KeySetState, { tier, issuer, url, freshMs, staleMs }: KeySetOptions, deps: Deps) => {
  const shared = sharedCache(["keys", tier, issuer, url], deps);
  const store = (entry: CacheEntry): void => {
    const { loaded } = state.cached;
    const same = loaded && JSON.stringify(entry.keys) === loaded.text;
    state.cached = { ...entry, loaded: entry.keys ? (same ? loaded : keysOf(entry.keys)) : undefined };
  };
  const publish = async (entry: CacheEntry): Promise<void> => {
    store(entry);
    await shared.write(entry, freshMs + staleMs);
  };
  /** @param now reads even if the cache was just read: before a request to the issuer */
  const readShared = async (now: boolean): Promise<void> => {
    // A flood of unknown key ids must not read the cache each time.
    if (!now && deps.now() < state.sharedReadAt + 1000) return;
    state.sharedReadAt = deps.now();
    const entry = parseCacheEntry(await shared.read(), deps.now());
    if (!entry) return;
    const triedAt = Math.max(entry.triedAt, state.cached.triedAt);
    // An isolate that is just loading may have no keys: keep our copy then.
    if (entry.fetchedAt > state.cached.fetchedAt) store({ ...entry, triedAt });
    else state.cached = { ...state.cached, triedAt };
  };
  return { publish, readShared };
};

const logFailure = (url: string, cause: unknown, { cached }: KeySetState, { log }: Pick<Deps, "log">): void => {
  const { message } = cause instanceof Error ? cause : new Error(String(cause));
  log({ type: "degraded", issuer: url, cause: message.slice(0, 300), keys: cached.keys ? "last good copy" : "none" });
};

/** Tolerated clock skew between machines of a location. */
const clockSkewMs = 5_000;

/**
 * Parses an entry of another isolate, as strictly as the issuer's response.
 * @returns undefined for an invalid entry, and for one from the future, which would be used too long
 */
const parseCacheEntry = (value: unknown, now: number): CacheEntry | undefined => {
  const { triedAt, fetchedAt, keys } = (value ?? {}) as { readonly [K in keyof CacheEntry]?: unknown };
  // JSON has null in place of -Infinity.
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
  // The key is not used, like a short one. The log tells the operator.
  if (usableKeys.some((it) => isRoca(it as JWK)))
    deps.log({ type: "degraded", issuer: url, cause: weakKeyCause, keys: "without it" });
  if (usableKeys.length === 0) throw new Error("the issuer publishes no key for signatures");
  return usableKeys;
};

const weakKeyCause = "the private half of a key can be computed (ROCA, CVE-2017-15361)";

/**
 * Unusable keys are ignored (RFC 7517, section 5). A set without usable keys replaces no good copy. A private or
 * symmetric key in a public place is compromised.
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
