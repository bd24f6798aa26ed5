/** Authenticates a consumer by an API key, which is looked up by its hash in the KV namespace of consumers. */
import * as z from "zod";
import { Consumer, type ConsumerFact, setFact } from "../gateway/core/facts.ts";
import { type Codes, Fault, refuse } from "../gateway/core/problems.ts";
import { milliseconds } from "../gateway/core/quantities.ts";
import type { Deps, Guard } from "../gateway/core/types.ts";
import { sha256 } from "../gateway/http/hash.ts";
import { consumersKey, environmentName, isConsumer, signedEntryReader } from "../gateway/identity/consumer-entries.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { kvCache } from "../manifest/quantities.ts";

const codes = {
  "key-missing": { status: 401, title: "API key required" },
  "key-unknown": { status: 401, title: "Unknown API key" },
  "consumers-unavailable": { status: 503, title: "API key lookup unavailable" },
} as const satisfies Codes;

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "identity",
    enforcing: "tightens",
    schema: z.strictObject({
      header: z
        .string()
        .regex(/^[a-z0-9-]+$/, "a header's name in lower case")
        .default("x-api-key")
        .describe("The header that carries the key"),
      cache: kvCache().default("60s").describe("How long a location caches lookups, unknown keys included"),
    }),
    example: { header: "x-shop-key" },
    codes,
    keysOfCode: { "key-missing": ["header"] },
    exposes: ({ header }) => ({ security: { type: "apiKey", in: "header", name: header } }),
    provides: ["consumer"],
    bindings: () => [{ kind: "kv", binding: "CONSUMERS", namespace: "consumers" }],
    scales: { cache: "longer-is-weaker" },
    credentials: {
      knows: (_, consumers) => consumers,
      issue: ({ config, persona: { name, forged }, consumers, apiKey }) => {
        const places = [`header.${config.header}`];
        if (forged) return { credential: { headers: { [config.header]: apiKey(undefined) } }, places };
        if (!consumers.includes(name)) return `routes/consumers.yaml has no "${name}"`;
        return { credential: { headers: { [config.header]: apiKey(name) } }, places };
      },
    },
    security: ({ header, cache }) => ({
      credentialHeader: header,
      guessable: true,
      revocation: { of: "key", after: cache, at: ["cache"] },
    }),
    examples: {
      "key-missing": { filters: "- api-key:\n    cache: 60s\n    header: x-key #!\n" },
      "key-unknown": {
        filters: "- api-key: #!\n    header: x-key\n",
        step: "send: { request: GET /a, headers: { x-key: nobody } }",
      },
      "consumers-unavailable": {
        filters: "- api-key: #!\n    header: x-key\n",
        step: "send: { request: GET /a, headers: { x-key: one } }, down: [consumers]",
      },
    },
  });

/** Longer keys are refused before they are hashed. */
const maxKeyLength = 512;

export const make = ({ header, cache }: Config<typeof spec>, deps: Deps): Guard => {
  const consumers = deps.env.CONSUMERS as KVNamespace;
  if (!consumers) throw new Error("no KV namespace is bound as CONSUMERS");
  const lookUp = consumerLookup(consumers, deps.env, milliseconds(cache) / 1000);
  // A 401 needs a challenge (RFC 9110, section 15.5.2).
  const challenge = { headers: { "www-authenticate": `ApiKey header="${header}"` } };
  return async (request, context) => {
    const key = request.headers.get(header);
    if (!key) return refuse(context, codes, "key-missing", challenge);
    if (key.length > maxKeyLength) return refuse(context, codes, "key-unknown", challenge);
    const consumer = await lookUp(`key/${await sha256(key)}`);
    if (consumer === null) return refuse(context, codes, "key-unknown", challenge);
    setFact(context, Consumer, consumer);
    return undefined;
  };
};

/**
 * @param env holds the public key of the entries' signatures, if the environment has one
 * @returns a lookup by entry name; null for an entry that does not exist
 */
const consumerLookup = (
  consumers: KVNamespace,
  { [consumersKey]: key, [environmentName]: environment }: Deps["env"],
  cacheTtl: number,
) => {
  const unavailable = (cause: unknown): never => {
    throw new Fault(codes, "consumers-unavailable", { cause });
  };
  if (typeof key !== "string")
    return async (name: string): Promise<ConsumerFact | null> => {
      const entry: unknown = await consumers.get(name, { type: "json", cacheTtl }).catch(unavailable);
      return entry === null || isConsumer(entry) ? entry : unavailable("an entry of the namespace is not a consumer");
    };
  const read = signedEntryReader(key, String(environment));
  return async (name: string): Promise<ConsumerFact | null> => {
    const text = await consumers.get(name, { type: "text", cacheTtl }).catch(unavailable);
    if (text === null) return null;
    return (
      (await read(name, text)) ?? unavailable("an entry of the namespace is not signed with the environment's key")
    );
  };
};
