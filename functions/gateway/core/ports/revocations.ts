/** Tokens that were taken back before their time: those of the feed, which each gate has heard of, and those of a KV namespace, which are looked up. */
import { sha256 } from "../../http/hash.ts";

/** What a gate hears. Neither `jti` nor consumer is in it, only hashes. */
export type RevocationEntry = {
  /** Milliseconds since the epoch; it is gone then. */
  readonly until: number;
  /** SHA-256 of issuer, line feed and `jti`, or the consumer's name. */
  readonly hash: string;
} & (
  | { readonly kind: "token" }
  /** Of this consumer all tokens that were issued until then, in seconds since the epoch. */
  | { readonly kind: "consumer"; readonly before: number }
);

/** What control keeps of it. */
export type StoredRevocation = RevocationEntry & {
  readonly id: string;
  readonly issuer: string;
  readonly by: string;
  readonly reason: string;
};

/** Of one tier. Each gate holds them all; more belong into the KV namespace. */
export const maxRevocations = 500;
/** What outlives them is no token to be trusted with anything. */
export const maxRevocationMs = 30 * 86_400_000;

/** How a token is known here. */
interface TokenHashes {
  readonly token: string | undefined;
  readonly consumer: string;
}

/** A token that holds but for this. */
export interface RevocableToken {
  readonly claims: { readonly jti?: string; readonly iat?: number };
  readonly consumer: string;
  /** Made when something was taken back, and kept: a token is hashed once. */
  hashes?: TokenHashes;
}

export interface RevocationFeed {
  /** What the feed tells; there where there is one. */
  readonly revoked?: (() => RevocationSet) | undefined;
  readonly now: () => number;
}

/** Whether the feed says that a token was taken back. Most of the time nothing was, and then nothing is waited for. */
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

/** What was taken back, ready to be asked at each request. */
export interface RevocationSet {
  readonly size: number;
  /** @param issuedAt `iat`; of a token without it nobody can say that it is newer */
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

/** @throws where the namespace cannot be read */
export const kvRevocations = (namespace: KVNamespace | undefined, issuer: string, cacheMs: number) => {
  if (!namespace) throw new Error("no KV namespace is bound as REVOCATIONS");
  const cacheTtl = cacheMs / 1000;
  return async (jti: string): Promise<boolean> =>
    (await namespace.get(await revocationHash(issuer, jti), { cacheTtl })) !== null;
};
