/**
 * Signed entries of the consumers' KV namespace. The platform has no read-only bindings, so every gate that looks
 * consumers up could also write entries. A gate therefore accepts only signed entries.
 */
import { forgetOldest } from "../core/bounded.ts";
import type { ConsumerFact } from "../core/facts.ts";
import { parsed } from "../core/json.ts";

/** The variable with the public key: `x` of an Ed25519 key (RFC 8037). */
export const consumersKey = "POSTERN_CONSUMERS_KEY";
/** The variable with the gate's environment. Environments may share keys, but not entries. */
export const environmentName = "POSTERN_ENVIRONMENT";

/**
 * The signed text: environment, name and content of the entry, so that an entry cannot be moved to another
 * environment or API key.
 */
export const signedText = (environment: string, name: string, { id, labels }: ConsumerFact): string => {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `postern consumer 1\n${JSON.stringify([environment, name, id, sorted])}`;
};

export const isConsumer = (value: unknown): value is ConsumerFact => {
  const { id, labels } = (value ?? {}) as Partial<ConsumerFact>;
  return typeof id === "string" && id !== "" && typeof labels === "object" && labels !== null;
};

/** In characters: room for an id, a few labels and a signature. */
const maxEntryLength = 16 * 1024;
/** Verified entries remembered per isolate. */
const maxRemembered = 1000;

/**
 * Verifies and parses entries.
 *
 * @param x the public key
 * @returns the consumer; undefined when the entry is not signed with the private key
 */
export const signedEntryReader = (
  x: string,
  environment: string,
): ((name: string, text: string) => Promise<ConsumerFact | undefined>) => {
  // An isolate verifies each entry once.
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

/** Decodes 64 bytes in base64url. */
const bytesOf = (signature: string): Uint8Array<ArrayBuffer> | undefined =>
  /^[\w-]{86}$/.test(signature)
    ? Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0))
    : undefined;
