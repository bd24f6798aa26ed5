/**
 * Selects the keys of a set that may have signed a token, in the order of trying (RFC 7515, section 4.1.4 and
 * Appendix D).
 */
import { base64url, importJWK, type JWK } from "jose";
import { isSmallOrder } from "./ed25519-points.ts";
import type { TokenHeader } from "./jwt-header.ts";
import { hasRocaFingerprint } from "./roca.ts";

/** Key type and curve of each algorithm (RFC 7518, section 3.1; RFC 8037; RFC 9864). */
const keyTypes = {
  ...(Object.fromEntries(
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map((it) => [it, { kty: "RSA" }]),
  ) as Readonly<Record<string, KeyType>>),
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
} as const satisfies Readonly<Record<string, KeyType>>;

interface KeyType {
  readonly kty: string;
  readonly crv?: string;
}

/** `EdDSA` and `Ed25519` are aliases: the older name leaves the curve to the key (RFC 9864, section 2.2). */
export const withEdDsaAliases = (algorithms: readonly string[]): readonly string[] =>
  algorithms.some(isEd25519) ? [...new Set([...algorithms, ...edDsaNames])] : algorithms;

const edDsaNames = ["EdDSA", "Ed25519"];
const isEd25519 = (algorithm: string): boolean => edDsaNames.includes(algorithm);

/** A key of the set. */
export interface VerificationKey {
  /** The imported key; undefined when it cannot be imported, since sets may hold keys of unsupported kinds. */
  readonly importFor: (algorithm: string) => Promise<CryptoKey | undefined>;
}

/** Each attempt costs a verification, and anyone can send a token that fails all of them. */
export const maxCandidates = 16;

export interface VerificationKeys {
  /** Keys that match a token's header: those with its key id, then those without one. 16 at most. */
  readonly candidatesFor: (header: TokenHeader) => readonly VerificationKey[];
}

interface Entry extends VerificationKey {
  readonly jwk: JWK;
}

export const verificationKeys = (keys: readonly JWK[]): VerificationKeys => {
  const all = keys
    .filter((it) => isForSignatures(it) && isUsable(it))
    .map((jwk): Entry => ({ jwk, importFor: importOnce(jwk) }));
  const byId = Map.groupBy(all, ({ jwk: { kid } }) => (typeof kid === "string" ? kid : undefined));
  const unnamed = byId.get(undefined) ?? [];
  return {
    candidatesFor: (header) => {
      const { kid } = header;
      const named = kid === undefined ? all : (byId.get(kid) ?? []);
      const some = kid === undefined || unnamed.length === 0 ? named : [...named, ...unnamed];
      const fittingKeys = some.filter(({ jwk }) => fitsAlgorithm(jwk, header.alg));
      return (fittingKeys.length > 1 ? thumbprintsFirst(fittingKeys, header) : fittingKeys).slice(0, maxCandidates);
    },
  };
};

/**
 * Whether a key is for signatures (RFC 7517, sections 4.2 and 4.3). Some issuers write null instead of omitting a
 * member.
 */
const isForSignatures = ({ use, key_ops }: JWK): boolean =>
  (use ?? "sig") === "sig" &&
  (Array.isArray(key_ops) ? key_ops.includes("verify") : (key_ops ?? undefined) === undefined);

/** Whether a key is safe. The length of RSA keys is checked on import. */
const isUsable = ({ kty, x }: JWK): boolean => kty !== "OKP" || typeof x !== "string" || !isSmallOrder(x);

const fitsAlgorithm = ({ kty, crv, alg }: JWK, algorithm: string): boolean => {
  const kind: KeyType | undefined = Object.hasOwn(keyTypes, algorithm)
    ? keyTypes[algorithm as keyof typeof keyTypes]
    : undefined;
  if (kind === undefined || kty !== kind.kty || (kind.crv !== undefined && crv !== kind.crv)) return false;
  return (alg ?? algorithm) === algorithm || (isEd25519(algorithm) && isEd25519(alg as string));
};

/** Puts keys first whose certificate thumbprint the token names, beside or instead of a key id. */
const thumbprintsFirst = (entries: readonly Entry[], { x5t, x5tS256 }: TokenHeader): readonly Entry[] => {
  const isNamed = ({ jwk }: Entry): boolean =>
    (x5t !== undefined && jwk.x5t === x5t) || (x5tS256 !== undefined && jwk["x5t#S256"] === x5tS256);
  return entries.toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)));
};

/**
 * Imports a key once per algorithm and remembers failures. Caches the key, not a promise: the request that created
 * the promise may be cancelled.
 */
const importOnce = ({ kty, n, e, crv, x, y }: JWK): Entry["importFor"] => {
  const known = new Map<string, CryptoKey | undefined>();
  // Uses only the members of a public key, so that no other member affects the import.
  const members = Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => (value ?? undefined) !== undefined);
  const bare: JWK = Object.fromEntries(members);
  return async (algorithm) => {
    if (known.has(algorithm)) return known.get(algorithm);
    const key = await importJWK(bare, algorithm).catch(() => undefined);
    const usable = key instanceof CryptoKey && isLongEnough(key) && !isRoca(bare) ? key : undefined;
    known.set(algorithm, usable);
    return usable;
  };
};

/** RFC 7518, section 3.3. */
const minModulusBits = 2048;

const isLongEnough = ({ algorithm }: CryptoKey): boolean =>
  !("modulusLength" in algorithm) || (algorithm.modulusLength as number) >= minModulusBits;

/** Whether the private half of an RSA key can be computed. */
export const isRoca = ({ kty, n }: Pick<JWK, "kty" | "n">): boolean =>
  kty === "RSA" && typeof n === "string" && /^[\w-]+$/.test(n) && hasRocaFingerprint(base64url.decode(n));

/** Members of private and symmetric keys (RFC 7518, section 6). */
export const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** Members of public keys by type. */
export const publicMembers = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] } as const;
