/**
 * Revoked tokens: those of the feed, which every gate holds in memory, and those of a KV namespace, which are looked
 * up.
 */
import { sha256 } from "../../http/hash.ts";

/** A revocation as gates receive it. It holds hashes instead of `jti` and consumer. */
export type RevocationEntry = {
  /** When the entry expires, in milliseconds since the epoch. */
  readonly until: number;
  /** SHA-256 of issuer, line feed and `jti`, or the consumer's name. */
  readonly hash: string;
} & (
  | { readonly kind: "token" }
  /** All tokens of the consumer that were issued until then, in seconds since the epoch. */
  | { readonly kind: "consumer"; readonly before: number }
);

/** A revocation as control stores it. */
export type StoredRevocation = RevocationEntry & {
  readonly id: string;
  readonly issuer: string;
  readonly by: string;
  readonly reason: string;
};

/** Per tier. Gates hold all of them in memory; longer lists belong in the KV namespace. */
export const maxRevocations = 500;
/** Tokens should not live longer. */
export const maxRevocationMs = 30 * 86_400_000;

/** Hashes that identify a token. */
interface TokenHashes {
  readonly token: string | undefined;
  readonly consumer: string;
}

/** A token that is valid unless it has been revoked. */
export interface RevocableToken {
  readonly claims: { readonly jti?: string; readonly iat?: number };
  readonly consumer: string;
  /** Computed on demand and cached, so that a token is hashed once. */
  hashes?: TokenHashes;
}

export interface RevocationFeed {
  /** Revocations from the feed; undefined without a feed. */
  readonly revoked?: (() => RevocationSet) | undefined;
  readonly now: () => number;
}

/** Whether the feed revokes a token. Synchronous when there are no revocations, which is the usual case. */
export const isRevoked =
  (issuer: string, { revoked, now }: RevocationFeed) =>
  (it: RevocableToken): false | Promise<boolean> => {
    const current = revoked?.();
    return (
      current !== undefined &&
      current.size > 0 &&
      hashesOf(issuer, it).then((hashes) => current.has(hashes, it.claims.iat, now()))
    );
  };

const hashesOf = async (issuer: string, it: RevocableToken): Promise<TokenHashes> => {
  const { claims, consumer } = it;
  it.hashes ??= {
    token: claims.jti && (await revocationHash(issuer, claims.jti)),
    consumer: await revocationHash(issuer, consumer),
  };
  return it.hashes;
};

export const revocationHash = (issuer: string, name: string): Promise<string> => sha256(`${issuer}\n${name}`);

/** Revocations, indexed for lookups on each request. */
export interface RevocationSet {
  readonly size: number;
  /** @param issuedAt `iat`; a token without it counts as older */
  readonly has: (hashes: TokenHashes, issuedAt: number | undefined, now: number) => boolean;
}

export const revocationSet = (all: readonly RevocationEntry[]): RevocationSet => {
  const by = Map.groupBy(all, ({ kind, hash }) => `${kind} ${hash}`);
  return {
    size: all.length,
    has: ({ token, consumer }, issuedAt = 0, now) => {
      const some = [...(by.get(`token ${token}`) ?? []), ...(by.get(`consumer ${consumer}`) ?? [])];
      return some.some((it) => it.until > now && (it.kind === "token" || issuedAt <= it.before));
    },
  };
};

/** @throws when the namespace cannot be read */
export const kvRevocations = (namespace: KVNamespace | undefined, issuer: string, cacheMs: number) => {
  if (!namespace) throw new Error("no KV namespace is bound as REVOCATIONS");
  const cacheTtl = cacheMs / 1000;
  return async (jti: string): Promise<boolean> =>
    (await namespace.get(await revocationHash(issuer, jti), { cacheTtl })) !== null;
};
