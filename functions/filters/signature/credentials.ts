/** Signed requests, as a client with a shared key makes them. */
import { createSignature } from "http-message-sig";
import * as z from "zod";
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { Credentials, Present } from "../../gateway/hooks/credentials.ts";
import { duration } from "../../manifest/quantities.ts";
import type { SignatureConfig } from "./config.ts";

interface Signing {
  readonly id: string;
  readonly key: string;
  /** Headers beside what is always covered. */
  readonly covers: readonly string[];
  /** Seconds since it was made. */
  readonly age: number;
  /** Null for a new one. */
  readonly nonce: string | null;
}

const persona = () =>
  z
    .strictObject({
      age: duration().default("0s").describe("How long ago it was made"),
      ahead: duration().default("0s").describe("How far the client's clock is ahead"),
      nonce: z.string().min(1).max(128).optional().describe("By default one that nobody has used"),
    })
    .optional()
    .describe("Of a signed request (`signature`), what is not as usual");

type Deviation = z.output<ReturnType<typeof persona>>;

const seconds = (text: string | undefined): number => (text === undefined ? 0 : Math.floor(milliseconds(text) / 1000));

export const credentials: Credentials<SignatureConfig> = {
  persona: { key: "signature", schema: persona },
  knows: ({ keys }) => Object.values(keys).map(({ consumer }) => consumer),
  coversRequest: true,
  issue: ({ config: { keys, covers }, persona, secret, unknownSecret }) => {
    const [id, found] = Object.entries(keys).find(([, it]) => it.consumer === persona.name) ?? [];
    if (id === undefined || !found) return `no key of signature belongs to "${persona.name}"`;
    const { age, ahead, nonce = null } = (persona.signature as Deviation) ?? {};
    const key = persona.forged ? unknownSecret() : secret(found.secret);
    const credential: Signing = { id, key, covers, age: seconds(age) - seconds(ahead), nonce };
    return { credential };
  },
  sign: {
    keys: ({ keys }) => Object.fromEntries(Object.entries(keys).map(([id, { secret }]) => [id, secret])),
    issue: (_, id, key, covers): Signing => ({ id, key, covers, age: 0, nonce: null }),
  },
};

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A body is covered by its digest (RFC 9530), which stands ahead of what the configuration covers besides. */
export const present: Present<Signing> = async (it, { request, body, now, uuid }) => {
  const digest = body === null ? undefined : await digestOf(body);
  const copy = new Request(request.url, { method: request.method, headers: request.headers });
  if (digest !== undefined) copy.headers.set("content-digest", digest);
  const key = await crypto.subtle.importKey("raw", bytesOf(it.key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const { signature, signatureInput } = await createSignature(copy, {
    label: "postern",
    components: [
      "@method",
      "@authority",
      "@path",
      "@query",
      ...new Set([...(digest === undefined ? [] : ["content-digest"]), ...it.covers]),
    ],
    parameters: {
      created: Math.floor(now / 1000) - it.age,
      keyid: it.id,
      nonce: it.nonce ?? uuid(),
    },
    signer: {
      algorithm: "hmac-sha256",
      sign: async (base) => new Uint8Array(await crypto.subtle.sign("HMAC", key, base as BufferSource)),
    },
  });
  return {
    headers: {
      ...(digest !== undefined && { "content-digest": digest }),
      "signature-input": signatureInput,
      signature,
    },
  };
};

const digestOf = async (body: string): Promise<string> => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(body)));
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
};
