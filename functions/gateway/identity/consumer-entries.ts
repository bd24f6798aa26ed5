/**
 * Entries of the consumers' KV namespace, signed by whoever uploads them. The platform has no binding that only reads, so every
 * gate that looks consumers up could also write there: a gate believes an entry by its signature.
 */
import { forgetOldest } from "../core/bounded.ts";
import type { ConsumerFact } from "../core/facts.ts";
import { parsed } from "../core/json.ts";

/** The variable of a gate that holds the public key: `x` of an Ed25519 key (RFC 8037). */
export const consumersKey = "POSTERN_CONSUMERS_KEY";
/** The variable beside it that names the gate's environment: a pair of keys may be shared between environments, entries are not. */
export const environmentName = "POSTERN_ENVIRONMENT";

/**
 * What a signature is of: the environment and the name that the entry stands under, so that nobody moves it to another
 * environment or to an API key of his own, and all that it says.
 */
export const signedText = (environment: string, name: string, { id, labels }: ConsumerFact): string => {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `postern consumer 1\n${JSON.stringify([environment, name, id, sorted])}`;
};

export const isConsumer = (value: unknown): value is ConsumerFact => {
  const { id, labels } = (value ?? {}) as Partial<ConsumerFact>;
  return typeof id === "string" && id !== "" && typeof labels === "object" && labels !== null;
};

/** In characters: an id, a few labels, and a signature. */
const maxEntryLength = 16 * 1024;
/** Entries that an isolate remembers to have verified. */
const maxRemembered = 1000;

/**
 * Reads entries that have to be signed.
 *
 * @param x the public key
 * @returns what an entry says; undefined where nobody with the private key has written it there
 */
export const signedEntryReader = (
  x: string,
  environment: string,
): ((name: string, text: string) => Promise<ConsumerFact | undefined>) => {
  // A signature is verified once for each entry that an isolate meets, and no more.
  const known = new Map<string, { readonly text: string; readonly consumer: ConsumerFact }>();
  let key: CryptoKey | undefined;
  return async (name, text) => {
    const before = known.get(name);
    if (before?.text === text) return before.consumer;
    if (text.length > maxEntryLength) return undefined;
    key ??= await crypto.subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, "Ed25519", false, ["verify"]);
    const consumer = await verifyEntry({ environment, name, text }, key);
    if (!consumer) return undefined;
    known.set(name, { text, consumer });
    forgetOldest(known, maxRemembered);
    return consumer;
  };
};

interface SignedEntry {
  readonly environment: string;
  readonly name: string;
  readonly text: string;
}

const verifyEntry = async (
  { environment, name, text }: SignedEntry,
  key: CryptoKey,
): Promise<ConsumerFact | undefined> => {
  const value = parsed(text);
  const { signature } = (value ?? {}) as { readonly signature?: unknown };
  const bytes = typeof signature === "string" ? bytesOf(signature) : undefined;
  if (!bytes || !isConsumer(value)) return undefined;
  const { id, labels } = value;
  const signed = new TextEncoder().encode(signedText(environment, name, { id, labels }));
  return (await crypto.subtle.verify("Ed25519", key, bytes, signed)) ? { id, labels } : undefined;
};

/** 64 bytes in base64url. */
const bytesOf = (signature: string): Uint8Array<ArrayBuffer> | undefined =>
  /^[\w-]{86}$/.test(signature)
    ? Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0))
    : undefined;
