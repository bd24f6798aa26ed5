/** Signs requests of test cases and of `postern sign`, as a client with a shared key does. */
import { createSignature } from "http-message-sig";
import * as z from "zod";
import { milliseconds } from "../../gateway/core/quantities.ts";
import type { Credentials, Present } from "../../gateway/hooks/credentials.ts";
import { duration } from "../../manifest/quantities.ts";
import type { SignatureConfig } from "./config.ts";

interface SigningInput {
  readonly id: string;
  readonly key: string;
  /** Headers to cover, besides the components that are always covered. */
  readonly covers: readonly string[];
  /** The signature's age in seconds; negative if the client's clock is ahead. */
  readonly age: number;
  /** Null for a random one. */
  readonly nonce: string | null;
}

const persona = () =>
  z
    .strictObject({
      age: duration().default("0s").describe("Age of the signature"),
      ahead: duration().default("0s").describe("How far the client's clock is ahead"),
      nonce: z.string().min(1).max(128).optional().describe("By default a random one"),
    })
    .optional()
    .describe("Changes of a signed request (`signature`)");

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
    const credential: SigningInput = { id, key, covers, age: seconds(age) - seconds(ahead), nonce };
    return { credential };
  },
  sign: {
    keys: ({ keys }) => Object.fromEntries(Object.entries(keys).map(([id, { secret }]) => [id, secret])),
    issue: (_, id, key, covers): SigningInput => ({ id, key, covers, age: 0, nonce: null }),
  },
};

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Covers the body by its digest (RFC 9530). */
export const present: Present<SigningInput> = async (it, { request, body, now, uuid }) => {
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
