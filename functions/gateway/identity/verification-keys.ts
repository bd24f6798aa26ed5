/** Which keys of a set may have signed a token, in the order in which they are tried (RFC 7515, section 4.1.4 and Appendix D). */
import { base64url, importJWK, type JWK } from "jose";
import { isSmallOrder } from "./ed25519-points.ts";
import type { TokenHeader } from "./jwt-header.ts";
import { hasRocaFingerprint } from "./roca.ts";

/** The type of key, and the curve, that an algorithm asks for (RFC 7518, section 3.1; RFC 8037; RFC 9864). */
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

/** `EdDSA` and `Ed25519` name one algorithm: the older name leaves the curve to the key (RFC 9864, section 2.2). */
export const withEdDsaAliases = (algorithms: readonly string[]): readonly string[] =>
  algorithms.some(isEd25519) ? [...new Set([...algorithms, ...edDsaNames])] : algorithms;

const edDsaNames = ["EdDSA", "Ed25519"];
const isEd25519 = (algorithm: string): boolean => edDsaNames.includes(algorithm);

/** A key of a set. */
export interface VerificationKey {
  /** Ready to verify with, or undefined where the key cannot be imported: a set may hold keys that nobody here can use. */
  readonly importFor: (algorithm: string) => Promise<CryptoKey | undefined>;
}

/** Each try costs a verification, and anybody can send a token that makes them all fail. */
export const maxCandidates = 16;

export interface VerificationKeys {
  /** Keys that fit what a token says of its own: those with its key id, then those that have none. 16 at most. */
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

/** What a key says that it is for (RFC 7517, sections 4.2 and 4.3). Some issuers write null for what they leave out. */
const isForSignatures = ({ use, key_ops }: JWK): boolean =>
  (use ?? "sig") === "sig" &&
  (Array.isArray(key_ops) ? key_ops.includes("verify") : (key_ops ?? undefined) === undefined);

/** Whether a key can be one that somebody alone signs with. Of the length of an RSA key its import tells. */
const isUsable = ({ kty, x }: JWK): boolean => kty !== "OKP" || typeof x !== "string" || !isSmallOrder(x);

const fitsAlgorithm = ({ kty, crv, alg }: JWK, algorithm: string): boolean => {
  const kind: KeyType | undefined = Object.hasOwn(keyTypes, algorithm)
    ? keyTypes[algorithm as keyof typeof keyTypes]
    : undefined;
  if (kind === undefined || kty !== kind.kty || (kind.crv !== undefined && crv !== kind.crv)) return false;
  return (alg ?? algorithm) === algorithm || (isEd25519(algorithm) && isEd25519(alg as string));
};

/** Keys whose certificate the token names come first; issuers name it beside the key id, or in its place. */
const thumbprintsFirst = (entries: readonly Entry[], { x5t, x5tS256 }: TokenHeader): readonly Entry[] => {
  const isNamed = ({ jwk }: Entry): boolean =>
    (x5t !== undefined && jwk.x5t === x5t) || (x5tS256 !== undefined && jwk["x5t#S256"] === x5tS256);
  return entries.toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)));
};

/** Imports a key once for each algorithm, also one that cannot be. Keeps no promise: who began it may be gone with its client. */
const importOnce = ({ kty, n, e, crv, x, y }: JWK): Entry["importFor"] => {
  const known = new Map<string, CryptoKey | undefined>();
  // Only what makes a public key: nothing else that stands there decides whether it can be used.
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

/** Whether everybody can sign with an RSA key, since its private half can be computed. */
export const isRoca = ({ kty, n }: Pick<JWK, "kty" | "n">): boolean =>
  kty === "RSA" && typeof n === "string" && /^[\w-]+$/.test(n) && hasRocaFingerprint(base64url.decode(n));

/** Of private and symmetric keys (RFC 7518, section 6). */
export const secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** What a public key consists of, by its type. */
export const publicMembers = { RSA: ["n", "e"], EC: ["crv", "x", "y"], OKP: ["crv", "x"] } as const;
