/** An issuer's public keys (RFC 7517): in this isolate's memory, else in the location's cache, else from the issuer. */
import type { JSONWebKeySet, JWK } from "jose";
import type { Deps } from "../core/types.ts";
import { within } from "../core/with-timeout.ts";
import { jsonOf } from "../http/read-stream.ts";
import { sharedCache } from "./shared-cache.ts";
import { isRoca, publicMembers, secretMembers, type VerificationKeys, verificationKeys } from "./verification-keys.ts";

export interface Keys extends VerificationKeys {
  /** Tells one set of keys from another. */
  readonly text: string;
}

export interface KeySet {
  /** Keys that need nobody to be asked; undefined where the issuer would be. */
  readonly fresh: () => Keys | undefined;
  /** @throws where there are no keys to be had: the issuer is down, and no copy is young enough */
  readonly current: () => Keys | Promise<Keys>;
  /** For a token that none of these verifies: newer ones, or undefined where the issuer was asked a moment ago. */
  readonly newerThan: (keys: Keys) => Promise<Keys | undefined>;
}

/** The keys, at once where they are here. @param gone throws in place of what is thrown where there are none */
export const available = (ask: KeySet["current"], gone: (cause: unknown) => never): Keys | Promise<Keys> => {
  try {
    const keys = ask();
    return keys instanceof Promise ? keys.catch(gone) : keys;
  } catch (cause) {
    return gone(cause);
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

export const fixedKeys = (keys: JSONWebKeySet["keys"]): KeySet => {
  const all = keysOf(keys);
  return { fresh: () => all, current: () => all, newerThan: async () => undefined };
};

const keysOf = (keys: JSONWebKeySet["keys"]): Keys => ({ ...verificationKeys(keys), text: JSON.stringify(keys) });

const patienceMs = 5_000;
/** Also bounds how many keys there are: the smallest takes eighty bytes. */
const longestSet = 256 * 1024;

/** What a location knows. Milliseconds since the epoch. */
interface Entry {
  readonly triedAt: number;
  readonly fetchedAt: number;
  readonly keys: JSONWebKeySet["keys"] | null;
}

interface Held extends Entry {
  readonly made: Keys | undefined;
}

const nothing: Held = {
  triedAt: Number.NEGATIVE_INFINITY,
  fetchedAt: Number.NEGATIVE_INFINITY,
  keys: null,
  made: undefined,
};

export const fetchedKeys = ({ tier, issuer, url, freshMs, staleMs, cooldownMs }: KeySetOptions, deps: Deps): KeySet => {
  let held = nothing;
  let asking: { readonly done: Promise<void>; readonly since: number } | undefined;

  const take = (entry: Entry): void => {
    const same = held.made && JSON.stringify(entry.keys) === held.made.text;
    held = { ...entry, made: entry.keys ? (same ? held.made : keysOf(entry.keys)) : undefined };
  };
  const lifeMs = freshMs + staleMs;
  const shared = sharedCache(["keys", tier, issuer, url], deps);

  /** Isolates of a location tell each other what they have, and when they asked; without the cache each is on its own. */
  const tell = async (entry: Entry): Promise<void> => {
    take(entry);
    await shared.write(entry, lifeMs);
  };
  let heardAt = Number.NEGATIVE_INFINITY;
  /** @param now or never: before the issuer is asked */
  const listen = async (now: boolean): Promise<void> => {
    // A flood of unknown keys is no reason to read the cache for each of them.
    if (!now && deps.now() < heardAt + 1000) return;
    heardAt = deps.now();
    const entry = entryOf(await shared.read(), deps.now());
    if (!entry) return;
    const triedAt = Math.max(entry.triedAt, held.triedAt);
    // Who asks just now may have had nothing: that is no reason to let go of a copy.
    if (entry.fetchedAt > held.fetchedAt) take({ ...entry, triedAt });
    else held = { ...held, triedAt };
  };

  const ask = async (): Promise<void> => {
    const isDue = () => deps.now() >= held.triedAt + cooldownMs;
    await listen(isDue());
    if (!isDue()) return;
    const now = deps.now();
    // Told before asking, so that the others of the location do not ask as well.
    await tell({ ...held, triedAt: now });
    try {
      const keys = await within(patienceMs, deps, (signal) => download(url, signal, deps));
      await tell({ triedAt: now, fetchedAt: now, keys });
    } catch (cause) {
      const { message } = cause instanceof Error ? cause : new Error(String(cause));
      deps.log({
        type: "degraded",
        issuer: url,
        cause: message.slice(0, 300),
        keys: held.keys ? "last good copy" : "none",
      });
    }
  };

  /**
   * One question at a time. Who began it may be gone with its client, and its promise never settles then: nobody waits for it
   * longer than it may take, and after that it is no question any more.
   */
  const underWay = (): Promise<void> | undefined =>
    asking && deps.now() < asking.since + patienceMs ? asking.done : undefined;
  const askOnce = async (): Promise<void> => {
    const begun = underWay();
    if (begun) return within(patienceMs, deps, () => begun).catch(() => {});
    const own = { done: ask(), since: deps.now() };
    asking = own;
    try {
      await own.done;
    } finally {
      if (asking === own) asking = undefined;
    }
  };

  const usable = (): Keys => {
    if (held.made && deps.now() < held.fetchedAt + lifeMs) return held.made;
    throw new Error(`the keys of ${url} are not to be had`);
  };

  const fresh = (): Keys | undefined => (deps.now() < held.fetchedAt + freshMs ? held.made : undefined);

  return {
    fresh,
    current: () => {
      const keys = fresh();
      if (keys) return keys;
      if (deps.now() < held.triedAt + cooldownMs && held.made) return usable();
      // With a copy at hand, nobody waits for whoever is asking already.
      return underWay() && held.made ? usable() : askOnce().then(usable);
    },
    newerThan: async (keys) => {
      if (held.made === keys) await (deps.now() < held.triedAt + cooldownMs ? listen(false) : askOnce());
      return held.made && held.made !== keys ? held.made : undefined;
    },
  };
};

/** How far the clocks of a location's machines may be apart. */
const clockSkewMs = 5_000;

/**
 * What another isolate wrote, read as strictly as the issuer's own answer.
 * @returns undefined for what is no entry, and for one from the future, which would be believed too long
 */
const entryOf = (value: unknown, now: number): Entry | undefined => {
  const { triedAt, fetchedAt, keys } = (value ?? {}) as { readonly [K in keyof Entry]?: unknown };
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
  const { keys } = ((await jsonOf(response, longestSet)) ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("the issuer answered with no key set");
  const usable = keys.filter(isPublic);
  // It verifies nothing here, as a short key does; its issuer has to hear of it.
  if (usable.some((it) => isRoca(it as JWK)))
    deps.log({ type: "degraded", issuer: url, cause: weakKey, keys: "without it" });
  if (usable.length === 0) throw new Error("the issuer publishes no key for signatures");
  return usable;
};

const weakKey = "the private half of a key can be computed (ROCA, CVE-2017-15361)";

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
