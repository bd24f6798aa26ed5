/** What somebody shows who is who they say: a token, a key or a signature, whichever the filters of the route ask for. */
import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { claimPath } from "../../../functions/gateway/core/claims.ts";
import { milliseconds } from "../../../functions/gateway/core/quantities.ts";
import type { Consumer } from "../../compiler/check/shared-files.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import type { Credential, Jwk, KeyPair } from "./batch.ts";
import type { Person } from "./language.ts";

/** Made for one run, and known to nobody else. */
export interface Keys {
  readonly issuers: ReadonlyMap<string, KeyPair>;
  readonly secrets: Map<string, string>;
  /** What API keys of the run begin with. */
  readonly seed: string;
}

/** Of those that a filter takes, the first: a token of the others takes longer. */
const algorithms = [
  "EdDSA",
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
];

/** @param used algorithms of the filters, and of the tokens that cases ask for */
export const keysFor = async (used: Iterable<string>): Promise<Keys> => {
  const pairs = [...new Set(used)].map(async (algorithm): Promise<[string, KeyPair]> => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const published = { ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: "sig" };
    return [algorithm, { own: { ...(await exportJWK(privateKey)) }, published }];
  });
  return { issuers: new Map(await Promise.all(pairs)), secrets: new Map(), seed: randomBytes(12).toString("hex") };
};

/** Long enough for whatever it signs. */
export const secretFor = ({ secrets }: Keys, name: string): string => {
  const known = secrets.get(name) ?? randomBytes(32).toString("base64url");
  secrets.set(name, known);
  return known;
};

const apiKey = ({ seed }: Keys, consumer: string): string => `${seed}.${consumer}`;

/** The consumers as they are stored, each with the key of this run besides its own. */
export const peopleOf = (consumers: readonly Consumer[], keys: Keys): Record<string, string> => {
  const own = consumers.map(({ value }): [string, string] => {
    const { id } = JSON.parse(value) as { readonly id: string };
    return [`key/${createHash("sha256").update(apiKey(keys, id)).digest("hex")}`, value];
  });
  return Object.fromEntries([...consumers.map(({ key, value }): [string, string] => [key, value]), ...own]);
};

/** The filters that know who somebody is, and what they are shown. A text says why nothing can be shown. */
const proofs: Readonly<Record<string, (given: Given) => Credential | string>> = {
  jwt: ({ config, person, chain }) => {
    const { issuer, audience, consumer, algorithms: taken, from } = config as JwtConfig;
    const token = person.token;
    return {
      kind: "token",
      place: token?.from ?? ([from].flat()[0] as string),
      algorithm: token?.algorithm ?? algorithmOf(taken),
      forged: person.forged === true,
      revoked: token?.revoked === true,
      claims: {
        iss: token?.issuer ?? issuer,
        aud: token?.audience ?? [audience].flat()[0],
        jti: `token-of-${person.name}`,
        ...askedOf(chain, [consumer, person.name]),
        ...(token?.scopes && { scope: token.scopes.join(" ") }),
        ...token?.claims,
      },
      age: seconds(token?.age),
      life: seconds(token?.life ?? "1h"),
    };
  },
  "api-key": ({ config, person, people, keys }) => {
    const { header } = config as { readonly header: string };
    if (person.forged) return { kind: "header", name: header, value: `${keys.seed}-unknown` };
    if (!people.some(({ value }) => (JSON.parse(value) as { readonly id: string }).id === person.name))
      return `routes/consumers.yaml has no "${person.name}"`;
    return { kind: "header", name: header, value: apiKey(keys, person.name) };
  },
  signature: ({ config, person, keys }) => {
    const { keys: all, covers } = config as SignatureConfig;
    const [id, found] = Object.entries(all).find(([, it]) => it.consumer === person.name) ?? [];
    if (id === undefined || !found) return `no key of signature belongs to "${person.name}"`;
    const { age, ahead, nonce = null } = person.signature ?? {};
    return {
      kind: "signature",
      id,
      key: person.forged ? randomBytes(32).toString("base64url") : secretFor(keys, found.secret),
      covers,
      age: seconds(age) - seconds(ahead),
      nonce,
    };
  },
};

interface Given {
  readonly config: unknown;
  readonly person: Person;
  /** All filters of the route. */
  readonly chain: readonly CheckedFilter[];
  readonly people: readonly Consumer[];
  readonly keys: Keys;
}

interface JwtConfig {
  readonly issuer: string;
  readonly audience?: string | readonly string[];
  readonly from: string | readonly string[];
  readonly algorithms: readonly string[];
  readonly consumer: string;
}

interface SignatureConfig {
  readonly keys: Readonly<Record<string, { readonly secret: string; readonly consumer: string }>>;
  readonly covers: readonly string[];
}

const seconds = (text: string | undefined): number => (text === undefined ? 0 : Math.floor(milliseconds(text) / 1000));

const algorithmOf = (taken: readonly string[]): string =>
  algorithms.find((it) => taken.includes(it)) ?? (taken[0] as string);

/** Filters that a person shows something to. */
export const identifies = ({ use, mode }: CheckedFilter): boolean => mode !== "off" && Object.hasOwn(proofs, use);

/** What a person shows to the filters of a route; texts say why something cannot be shown. */
export const shownBy = (given: Omit<Given, "config">): (Credential | string)[] =>
  given.chain.filter(identifies).flatMap(({ use, config }) => proofs[use]?.({ ...given, config }) ?? []);

/** Somebody whom the filters of a route could know; undefined where none of them asks. */
export const someoneFor = (chain: readonly CheckedFilter[], people: readonly Consumer[]): string | undefined => {
  const [first] = chain.filter(identifies);
  if (!first) return undefined;
  const { keys = {} } = first.config as Partial<SignatureConfig>;
  const [own] = first.use === "signature" ? Object.values(keys) : [];
  const [known] = people.map(({ value }) => (JSON.parse(value) as { readonly id: string }).id);
  return own?.consumer ?? (first.use === "api-key" ? known : undefined) ?? "alice";
};

/** Algorithms that the filters of these chains take tokens with. */
export const algorithmsOf = (chain: readonly CheckedFilter[]): string[] =>
  chain.filter(({ use }) => use === "jwt").map(({ config }) => algorithmOf((config as JwtConfig).algorithms));

/** Scopes and claims that the filters of a chain ask a token for, and the one that names its bearer. */
const askedOf = (chain: readonly CheckedFilter[], named: readonly [claim: string, name: string]): Jwk => {
  const asking = chain.map(({ config }) => config as Asking);
  const scopes = asking.flatMap(({ scopes = [], "any-scope": any = [] }) => [...scopes, ...any.slice(0, 1)]);
  const claims = asking.flatMap((it) => (isMap(it.claims) ? Object.entries(it.claims) : []));
  return {
    ...(scopes.length > 0 && { scope: [...new Set(scopes)].join(" ") }),
    ...claimsAt([...claims.map(([text, value]) => [text, [value].flat()[0]] as const), named]),
  };
};

/** Claims by the paths that lead to them, as an issuer nests them. */
const claimsAt = (all: readonly (readonly [text: string, value: unknown])[]): Jwk => {
  const claims: Record<string, unknown> = {};
  for (const [text, value] of all) {
    let within = claims;
    const path = claimPath(text);
    for (const name of path.slice(0, -1)) {
      const next = isMap(within[name]) ? { ...within[name] } : {};
      within[name] = next;
      within = next;
    }
    within[path.at(-1) as string] = value;
  }
  return claims;
};

interface Asking {
  readonly scopes?: readonly string[];
  readonly "any-scope"?: readonly string[];
  readonly claims?: unknown;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
