/** Makes what a request proves itself with: tokens and signatures, as clients make them. */
import { createSignature } from "http-message-sig";
import { generateKeyPair, importJWK, SignJWT } from "jose";
import type { Batch, Credential, KeyPair, Send } from "../input/batch.ts";
import { withToken } from "../input/token-place.ts";

/** Adds to a request what its sender has to show. @param now milliseconds since the epoch */
export const proven = async (
  sent: Request,
  { credentials, body }: Pick<Send, "credentials" | "body">,
  issuers: Batch["issuers"],
  now: number,
): Promise<Request> => {
  let request = sent;
  // A signature covers what else is shown.
  for (const it of credentials.toSorted((a, b) => Number(a.kind === "signature") - Number(b.kind === "signature"))) {
    if (it.kind === "header") request.headers.set(it.name, it.value);
    else if (it.kind === "token") request = withToken(request, it.place, await token(it, issuers, now));
    else await sign(request, body, it, now);
  }
  return request;
};

type Of<Kind extends Credential["kind"]> = Extract<Credential, { readonly kind: Kind }>;

const token = async (
  { algorithm, forged, claims, age, life }: Of<"token">,
  issuers: Batch["issuers"],
  now: number,
): Promise<string> => {
  const { own } = issuers[algorithm] as KeyPair;
  const key = forged ? (await generateKeyPair(algorithm)).privateKey : await importJWK({ ...own }, algorithm);
  const issued = Math.floor(now / 1000) - age;
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithm, kid: algorithm })
    .setIssuedAt(issued)
    .setExpirationTime(issued + life)
    .sign(key);
};

const text = new TextEncoder();

/** @param body as it should arrive, be it broken off later or not */
const sign = async (request: Request, body: string | null, it: Of<"signature">, now: number): Promise<void> => {
  if (body !== null) {
    const digest = base64(await crypto.subtle.digest("SHA-256", text.encode(body)));
    request.headers.set("content-digest", `sha-256=:${digest}:`);
  }
  const key = await crypto.subtle.importKey("raw", text.encode(it.key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const { signature, signatureInput } = await createSignature(request, {
    label: "postern",
    components: [
      "@method",
      "@authority",
      "@path",
      "@query",
      ...(body === null ? [] : ["content-digest"]),
      ...it.covers,
    ],
    parameters: {
      created: Math.floor(now / 1000) - it.age,
      keyid: it.id,
      nonce: it.nonce ?? crypto.randomUUID(),
    },
    signer: {
      algorithm: "hmac-sha256",
      sign: async (base) => new Uint8Array(await crypto.subtle.sign("HMAC", key, base as BufferSource)),
    },
  });
  request.headers.set("signature-input", signatureInput);
  request.headers.set("signature", signature);
};

const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));
