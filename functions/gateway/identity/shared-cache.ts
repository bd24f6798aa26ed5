/**
 * Shares values between the isolates of one gate through the location's cache. Every Worker of the account can write
 * there, so entries carry a MAC with the gate's own secret, and their names cannot be guessed without it.
 */

import type { Deps } from "../core/types.ts";
import { readAll } from "../http/read-stream.ts";
import { hmacSha256 } from "./hmac.ts";

/**
 * The secret that authenticates entries. `postern deploy` generates one for each gate that needs it, and nobody sees
 * it. A gate without it shares nothing.
 */
export const cacheSecret = "POSTERN_CACHE_KEY";

export interface SharedCache {
  /** @returns the value; undefined when there is none, or when it is not this gate's own */
  readonly read: () => Promise<unknown>;
  /** Never rejects. A value that cannot be stored is dropped. */
  readonly write: (value: unknown, lifeMs: number) => Promise<void>;
}

/** Of an entry, in bytes. */
const maxEntryBytes = 512 * 1024;
/** Of a secret, in characters. `postern deploy` makes 43: 256 bits in base64url. */
const minSecretLength = 32;
/** Of a MAC, in hexadecimal digits. */
const macLength = 64;

/** @param subject of the entries: purpose, tier, issuer, URL. Entries of other subjects or gates are not read. */
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
    const bytes = await readAll(response.body, maxEntryBytes, () => new Error("the entry is too long"));
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
  const mac = hmacSha256(secret);
  return async (text) => Array.from(await mac(text), (it) => it.toString(16).padStart(2, "0")).join("");
};

/** Compares in constant time. */
const isSame = (one: string, other: string): boolean => {
  let differs = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) differs |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return differs === 0;
};
