/** Creates tokens for personas of test cases, as an issuer does. */
import { generateKeyPair, importJWK, SignJWT } from "jose";
import * as z from "zod";
import { claimPath } from "../../gateway/core/claims.ts";
import { revocationHash } from "../../gateway/core/ports/revocations.ts";
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { Credentials, Jwk, KeyPair, Present } from "../../gateway/hooks/credentials.ts";
import { withToken } from "../../gateway/hooks/token-place.ts";
import { duration } from "../../manifest/quantities.ts";
import { tokenSource } from "../../manifest/token-sources.ts";
import type { JwtConfig } from "./config.ts";

interface TokenInput {
  /** Where it is written: a value of the filter's `from`. */
  readonly place: string;
  readonly algorithm: string;
  readonly forged: boolean;
  readonly claims: Jwk;
  /** Revoked before it is sent. */
  readonly revoked: boolean;
  /** Seconds since it was issued. */
  readonly age: number;
  /** Seconds from issue to expiry. */
  readonly life: number;
}

const persona = () =>
  z
    .strictObject({
      issuer: z.string().optional().describe("By default the one that the filter requires"),
      audience: z.string().optional().describe("By default the one that the filter requires"),
      from: tokenSource()
        .optional()
        .describe("Where it is written, as in `from` of the filter; by default its first source"),
      algorithm: z.string().optional().describe("By default one that the filter accepts"),
      scopes: z.array(z.string()).optional().describe("By default those that the filters of the route require"),
      revoked: z.literal(true).optional().describe("Adds it to the KV namespace `revocations`"),
      claims: z
        .record(z.string(), z.json())
        .default({})
        .describe("Besides those that the filters of the route require"),
      age: duration().default("0s").describe("Time since it was issued"),
      life: duration().default("1h").describe("Time from issue to expiry"),
    })
    .optional()
    .describe("Changes of a token (`jwt`)");

type Deviation = z.output<ReturnType<typeof persona>>;

/** Fastest to sign first. */
const fastestFirst = [
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

const fastestOf = (accepted: readonly string[]): string =>
  fastestFirst.find((it) => accepted.includes(it)) ?? (accepted[0] as string);

const seconds = (text: string | undefined): number => (text === undefined ? 0 : Math.floor(milliseconds(text) / 1000));

const follows = ({ issuer, audience }: JwtConfig) => ({ issuer, audience: [audience].flat()[0] });

export const credentials: Credentials<JwtConfig> = {
  persona: {
    key: "token",
    schema: persona,
    follows,
    algorithms: (value) => {
      const { algorithm } = (value ?? {}) as NonNullable<Deviation>;
      return algorithm === undefined ? [] : [algorithm];
    },
  },
  algorithms: ({ algorithms }) => [fastestOf(algorithms)],
  trusting: ({ keys }, published) => (keys ? { keys: published } : {}),
  issue: ({ config, persona, required }) => {
    const { consumer, algorithms, from } = config;
    const { issuer, audience } = follows(config);
    const token = persona.token as Deviation;
    const scope = [...new Set(required.scopes)].join(" ");
    const credential: TokenInput = {
      place: token?.from ?? ([from].flat()[0] as string),
      algorithm: token?.algorithm ?? fastestOf(algorithms),
      forged: persona.forged === true,
      revoked: token?.revoked === true,
      claims: {
        iss: token?.issuer ?? issuer,
        aud: token?.audience ?? audience,
        jti: `token-of-${persona.name}`,
        ...(scope !== "" && { scope }),
        ...claimsAt([...required.claims, [consumer, persona.name]]),
        ...(token?.scopes && { scope: token.scopes.join(" ") }),
        ...token?.claims,
      },
      age: seconds(token?.age),
      life: seconds(token?.life ?? "1h"),
    };
    return { credential, places: [credential.place] };
  },
};

/** Builds nested claims from claim paths. */
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

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const present: Present<TokenInput> = async (it, { request, now, keys, revoke }) => {
  const { algorithm, claims, forged, age, life } = it;
  if (it.revoked) revoke(await revocationHash(String(claims.iss), String(claims.jti)));
  const { ownKeys } = keys[algorithm] as KeyPair;
  const key = forged ? (await generateKeyPair(algorithm)).privateKey : await importJWK({ ...ownKeys }, algorithm);
  const issued = Math.floor(now / 1000) - age;
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithm, kid: algorithm })
    .setIssuedAt(issued)
    .setExpirationTime(issued + life)
    .sign(key);
  return withToken(request, it.place, token);
};
