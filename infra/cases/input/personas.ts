/** Test personas: makes the token, key or signature that the filters of a route require. */
import { createHash, randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import type { Issued, IssueInput, KeyPair, Persona } from "../../../functions/gateway/hooks/credentials.ts";
import type { Consumer } from "../../compiler/check/shared-files.ts";
import type { CheckedFilter } from "../../compiler/model/checked.ts";
import { registry } from "../../project/registry.ts";
import type { Credential } from "./batch.ts";

/** Random keys of one test run. */
export interface RunKeys {
  readonly issuers: ReadonlyMap<string, KeyPair>;
  readonly secrets: Map<string, string>;
  /** Prefix of the run's API keys. */
  readonly seed: string;
}

/** @param usedAlgorithms algorithms of the filters, and of the tokens that cases ask for */
export const keysFor = async (usedAlgorithms: Iterable<string>): Promise<RunKeys> => {
  const pairs = [...new Set(usedAlgorithms)].map(async (algorithm): Promise<[string, KeyPair]> => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
    const published = { ...(await exportJWK(publicKey)), kid: algorithm, alg: algorithm, use: "sig" };
    return [algorithm, { ownKeys: { ...(await exportJWK(privateKey)) }, published }];
  });
  return { issuers: new Map(await Promise.all(pairs)), secrets: new Map(), seed: randomBytes(12).toString("hex") };
};

/** A random secret, long enough for every signing algorithm. */
export const secretFor = ({ secrets }: RunKeys, name: string): string => {
  const known = secrets.get(name) ?? randomBytes(32).toString("base64url");
  secrets.set(name, known);
  return known;
};

const runApiKey = ({ seed }: RunKeys, consumer: string): string => `${seed}.${consumer}`;

/** The content of the consumers' namespace, with an additional API key of this run for each consumer. */
export const consumerStore = (consumers: readonly Consumer[], keys: RunKeys): Record<string, string> => {
  const ownKeys = consumers.map((it): [string, string] => {
    const hash = createHash("sha256")
      .update(runApiKey(keys, idOf(it)))
      .digest("hex");
    return [`key/${hash}`, it.value];
  });
  return Object.fromEntries([...consumers.map(({ key, value }): [string, string] => [key, value]), ...ownKeys]);
};

interface CredentialInput {
  readonly persona: Persona;
  /** All filters of the route. */
  readonly chain: readonly CheckedFilter[];
  readonly consumers: readonly Consumer[];
  readonly keys: RunKeys;
}

/** The credential that one filter gets, and its location; or why there is none. */
export type Shown = (Credential & Pick<Issued, "places">) | string;

/** Filters that a persona shows a credential to. */
export const readsCredential = ({ spec, mode }: CheckedFilter): boolean =>
  mode !== "off" && spec.credentials !== undefined;

/** The credentials that a persona presents to the filters of a route; those that cover the rest of the request are last. */
export const credentialsFor = ({ persona, chain, consumers, keys }: CredentialInput): Shown[] => {
  const input = {
    persona,
    required: requiredBy(chain),
    consumers: consumers.map(idOf),
    secret: (name: string) => secretFor(keys, name),
    apiKey: (consumer: string | undefined) =>
      consumer === undefined ? `${keys.seed}-unknown` : runApiKey(keys, consumer),
    unknownSecret: () => randomBytes(32).toString("base64url"),
  };
  return chain
    .filter(readsCredential)
    .toSorted((a, b) => Number(coversRequest(a)) - Number(coversRequest(b)))
    .flatMap(({ use, spec, config }): Shown[] => {
      const issued = spec.credentials?.issue({ ...input, config });
      if (issued === undefined || typeof issued === "string") return issued === undefined ? [] : [issued];
      const { credential: value, places } = issued;
      return [{ use, value, ...(places && { places }) }];
    });
};

const coversRequest = ({ spec }: CheckedFilter): boolean => spec.credentials?.coversRequest === true;

/** A consumer that all of the route's filters can identify; undefined if there is none, or none of them identifies callers. */
export const personaFor = (chain: readonly CheckedFilter[], consumers: readonly Consumer[]): string | undefined => {
  if (!chain.some(readsCredential)) return undefined;
  const known = callersKnownTo(chain, consumers);
  return known ? known[0] : "alice";
};

/** Consumers that all of the route's filters know; undefined if they identify callers of any name. */
export const callersKnownTo = (
  chain: readonly CheckedFilter[],
  consumers: readonly Consumer[],
): readonly string[] | undefined => {
  const [first, ...others] = chain.filter(readsCredential).flatMap(({ spec, config }) => {
    const names = spec.credentials?.knows?.(config, consumers.map(idOf));
    return names ? [names] : [];
  });
  return first?.filter((name) => others.every((names) => names.includes(name)));
};

/** Whether a filter has a list of those whom it identifies, and the name is among them. */
export const isKnownTo = (chain: readonly CheckedFilter[], name: string, consumers: readonly Consumer[]): boolean =>
  chain
    .filter(readsCredential)
    .some(({ spec, config }) => spec.credentials?.knows?.(config, consumers.map(idOf)).includes(name));

const idOf = ({ value }: Consumer): string => (JSON.parse(value) as { readonly id: string }).id;

/** The token algorithms to use for the `jwt` filters of a chain. */
export const tokenAlgorithms = (chain: readonly CheckedFilter[]): string[] =>
  chain.flatMap(({ spec, config }) => spec.credentials?.algorithms?.(config) ?? []);

/** Algorithms that a persona sets itself, in place of those that the filters require. */
export const algorithmsFor = (persona: Omit<Persona, "name">): string[] =>
  personaKeys().flatMap(({ key, algorithms }) => algorithms?.(persona[key]) ?? []);

/** What identity filters add to `as` of a case. */
export const personaKeys = () =>
  Object.values(registry.filters).flatMap(({ credentials }) => credentials?.persona ?? []);

/** What the filters of a chain require of a token. */
const requiredBy = (chain: readonly CheckedFilter[]): IssueInput<unknown>["required"] => {
  const all = chain.flatMap(({ spec, config }) => spec.requires?.(config) ?? []);
  const claims = all.flatMap((it) => Object.entries(it.claims ?? {}));
  return {
    scopes: all.flatMap(({ scopes = [] }) => scopes),
    claims: claims.map(([path, value]) => [path, [value].flat()[0]] as const),
  };
};

/** A plan that trusts the keys of this run, because tests cannot sign with the private half of a key in a manifest. */
export const trusting = (plan: Plan, { issuers }: RunKeys): Plan => {
  const published = [...issuers.values()].map((it) => it.published);
  const filters = Object.entries(plan.filters).map(([id, it]) => {
    const trust = registry.filters[it.use]?.credentials?.trusting;
    return [id, trust ? { ...it, with: { ...(it.with as object), ...trust(it.with, published) } } : it];
  });
  return { ...plan, filters: Object.fromEntries(filters) };
};
