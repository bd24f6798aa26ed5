/** Lets in who brings an API key that the consumers' KV namespace knows by its hash. */
import * as z from "zod";
import { Consumer, type ConsumerFact, learn } from "../gateway/facts.ts";
import { type Codes, Fault, refuse } from "../gateway/faults.ts";
import { sha256 } from "../gateway/hash.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { duration, milliseconds } from "../gateway/quantities.ts";
import type { Deps, Guard } from "../gateway/types.ts";

const codes = {
  "key-missing": { status: 401, title: "An API key is required" },
  "key-unknown": { status: 401, title: "The API key is not known" },
  "consumers-unavailable": { status: 503, title: "API keys cannot be looked up at the moment" },
} as const satisfies Codes;

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "identity",
    enforcing: "tightens",
    schema: z.strictObject({
      header: z
        .string()
        .regex(/^[a-z0-9-]+$/, "a header's name in lower case")
        .default("x-api-key")
        .describe("The header that carries the key"),
      cache: duration()
        .refine((text) => milliseconds(text) >= 30_000, "KV caches for 30s at least")
        .default("60s")
        .describe("How long a location uses what it has looked up, keys that are not known included"),
    }),
    example: { header: "x-shop-key" },
    codes,
    stands: { "key-missing": ["header"] },
    exposes: ({ header }) => ({ security: { type: "apiKey", in: "header", name: header } }),
    provides: ["consumer"],
    bindings: () => [{ kind: "kv", binding: "CONSUMERS", namespace: "consumers" }],
  });

/** Keys are looked up by their hash, so a longer one is only work. */
const longestKey = 512;

export const make = ({ header, cache }: Config<typeof spec>, deps: Deps): Guard => {
  const consumers = deps.env.CONSUMERS as KVNamespace;
  if (!consumers) throw new Error("no KV namespace is bound as CONSUMERS");
  const cacheTtl = milliseconds(cache) / 1000;
  // RFC 9110, section 15.5.2: a 401 says how to do better.
  const challenge = { headers: { "www-authenticate": `ApiKey header="${header}"` } };
  return async (request, context) => {
    const key = request.headers.get(header);
    if (!key) return refuse(context, codes, "key-missing", challenge);
    if (key.length > longestKey) return refuse(context, codes, "key-unknown", challenge);
    const consumer = await consumers
      .get(`key/${await sha256(key)}`, { type: "json", cacheTtl })
      .catch((cause: unknown) => {
        throw new Fault(codes, "consumers-unavailable", { cause });
      });
    if (consumer === null) return refuse(context, codes, "key-unknown", challenge);
    if (!isConsumer(consumer))
      throw new Fault(codes, "consumers-unavailable", { cause: "an entry of the namespace is no consumer" });
    learn(context, Consumer, consumer);
    return undefined;
  };
};

const isConsumer = (value: unknown): value is ConsumerFact => {
  const { id, labels } = (value ?? {}) as Partial<ConsumerFact>;
  return typeof id === "string" && id !== "" && typeof labels === "object" && labels !== null;
};
