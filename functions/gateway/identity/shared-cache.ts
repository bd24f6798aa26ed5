/**
 * What the isolates of one gate share in the location's cache. Every Worker of the account can write there, so a reader believes
 * nothing that does not carry a MAC of the gate's own secret, and looks under a name that nobody without the secret can guess.
 */

import type { Deps } from "../core/types.ts";
import { readAll } from "../http/read-stream.ts";

/**
 * The secret that entries are authenticated with. `postern deploy` makes one for each gate that needs it, and nobody ever sees
 * it. A gate without it shares nothing.
 */
export const cacheSecret = "POSTERN_CACHE_KEY";

export interface SharedCache {
  /** @returns the value as it was written; undefined where there is none, or one that is not this gate's own */
  readonly read: () => Promise<unknown>;
  /** Never rejects: what cannot be kept is not kept. */
  readonly write: (value: unknown, lifeMs: number) => Promise<void>;
}

/** In bytes of an entry. */
const maxEntryBytes = 512 * 1024;
/** Of a secret, in characters. `postern deploy` makes 43: 256 bits in base64url. */
const minSecretLength = 32;
/** Of a MAC, in hexadecimal digits. */
const macLength = 64;

/** @param subject what an entry is about: purpose, tier, issuer, URL. No entry about anything else is read, nor is one of another gate. */
export const sharedCache = (subject: readonly string[], { env, cache }: Pick<Deps, "env" | "cache">): SharedCache => {
  const secret = env[cacheSecret];
  if (typeof secret !== "string" || secret.length < minSecretLength) return noCache;
  const mac = authenticator(secret);
  const subjectText = JSON.stringify(subject);
  const signed = (text: string): string => `postern cache 1, entry\n${subjectText}\n${text}`;
  let knownName: string | undefined;
  const name = async (): Promise<string> => {
    knownName ??= `https://cache.postern.invalid/${await mac(`postern cache 1, name\n${subjectText}`)}`;
    return knownName;
  };
  const read = async (): Promise<unknown> => {
    const response = await cache.match(await name());
    if (!response) return undefined;
    const bytes = await readAll(response.body, maxEntryBytes, () => new Error("an entry that is too long"));
    const entry = new TextDecoder().decode(bytes);
    const text = entry.slice(macLength + 1);
    return isSame(await mac(signed(text)), entry.slice(0, macLength)) ? JSON.parse(text) : undefined;
  };
  const write = async (value: unknown, lifeMs: number): Promise<void> => {
    const text = JSON.stringify(value);
    const entry = `${await mac(signed(text))}\n${text}`;
    const headers = { "cache-control": `max-age=${Math.ceil(lifeMs / 1000)}` };
    await cache.put(await name(), new Response(entry, { headers }));
  };
  return {
    read: () => read().catch(() => undefined),
    write: (value, lifeMs) => write(value, lifeMs).catch(() => {}),
  };
};

const noCache: SharedCache = { read: async () => undefined, write: async () => {} };

/** HMAC-SHA-256, in hexadecimal digits. */
const authenticator = (secret: string): ((text: string) => Promise<string>) => {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  let key: CryptoKey | undefined;
  return async (text) => {
    // No promise is kept: who began it may be gone with its client.
    key ??= await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
    const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
    return Array.from(bytes, (it) => it.toString(16).padStart(2, "0")).join("");
  };
};

/** In a time that does not tell how many characters fit. */
const isSame = (one: string, other: string): boolean => {
  let differs = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) differs |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return differs === 0;
};
