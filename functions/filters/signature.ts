/** Authenticates requests by a signature with a shared key (HTTP Message Signatures, RFC 9421). Each nonce is accepted once. */
import { SignatureError, type SignatureParameters, verifySignature } from "http-message-sig";
import { parseDictionary } from "structured-headers";
import * as z from "zod";
import { Consumer, setFact } from "../gateway/core/facts.ts";
import { type Codes, Fault, refuse, upstreamCodes } from "../gateway/core/problems.ts";
import { milliseconds } from "../gateway/core/quantities.ts";
import { secretOf } from "../gateway/core/secrets.ts";
import type { Context, Deps, Guard } from "../gateway/core/types.ts";
import { withTimeout } from "../gateway/core/with-timeout.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { readBody } from "../gateway/proxy/request-body.ts";
import { headerName, name } from "../manifest/names.ts";
import { duration } from "../manifest/quantities.ts";
import { secret } from "../manifest/secret.ts";
import { rules } from "./signature/audit.ts";
import { credentials } from "./signature/credentials.ts";
import { examples } from "./signature/examples.ts";

export { present } from "./signature/credentials.ts";

const codes = {
  "signature-missing": { status: 401, title: "Signature required" },
  // One code for every defect, so that a client cannot find out which part was nearly right.
  "signature-invalid": { status: 401, title: "Invalid signature" },
  "signature-stale": { status: 401, title: "Signature expired or not yet valid" },
  "signature-replayed": { status: 401, title: "Nonce already used" },
  "replay-unchecked": { status: 503, title: "Replay check unavailable" },
  "body-too-large": upstreamCodes["body-too-large"],
  "body-incomplete": upstreamCodes["body-incomplete"],
  "body-late": upstreamCodes["body-late"],
} as const satisfies Codes;

// long: the declaration of the filter, key by key
export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "identity",
    enforcing: "tightens",
    schema: z.strictObject({
      keys: z
        .record(
          z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "a key's id is letters, digits, dots, hyphens and underscores"),
          z.strictObject({
            ...secret().shape,
            consumer: name().describe("The consumer that owns the key"),
          }),
        )
        .refine((keys) => Object.keys(keys).length > 0, "name at least one key")
        .refine((keys) => Object.keys(keys).length <= 100, "100 keys at most")
        .describe("Keys by the id that clients send (`keyid`); during a rotation list both"),
      window: duration()
        .default("5m")
        .describe("Maximum age of a signature (`created`); nonces are remembered as long"),
      skew: duration().default("30s").describe("How far ahead a client's clock may run"),
      covers: z
        .array(headerName())
        .max(16)
        .default([])
        .describe("Headers that must be signed, besides method, authority, path, query and the body's digest"),
      timeout: duration().default("1s").describe("Timeout of state; without state every request is refused"),
    }),
    example: {
      keys: { "shop-2026": { secret: "PAY_SHOP_KEY", consumer: "coffee-shop" } },
      window: "2m",
    },
    codes,
    keysOfCode: {
      "signature-stale": ["window"],
      "signature-replayed": ["window"],
      "replay-unchecked": ["timeout"],
    },
    exposes: () => ({
      security: {
        type: "apiKey",
        in: "header",
        name: "signature",
        description: "HTTP Message Signatures (RFC 9421), hmac-sha256, with signature-input",
      },
    }),
    provides: ["consumer"],
    readsBody: true,
    bindings: () => [{ kind: "state" }],
    secrets: ({ keys }) => Object.values(keys).map((it) => it.secret),
    connections: () => 1,
    scales: {
      keys: "admitted-names",
      window: "longer-is-weaker",
      skew: "longer-is-weaker",
      covers: "required-items",
    },
    audit: rules,
    credentials,
    examples: examples(),
  });

/** Longer fields are refused before they are parsed. */
const maxFieldLength = 2048;
const maxNonceLength = 128;
/** Shorter keys could be guessed. */
const minKeyLength = 16;

/** The components that every signature covers (section 7.2.1), besides the digest of a body (RFC 9530). */
const requiredComponents = ["@method", "@authority", "@path", "@query"] as const;

export const make = (config: Config<typeof spec>, deps: Deps): Guard => {
  if (!deps.state) throw new Error("no state is bound to this gate");
  const { state } = deps;
  const keys = verifiers(config, deps);
  const required = [...requiredComponents, ...config.covers];
  const [windowMs, skewMs, timeoutMs] = [config.window, config.skew, config.timeout].map(milliseconds) as [
    number,
    number,
    number,
  ];
  const accept = `sig=(${required.map((it) => `"${it}"`).join(" ")});created;nonce;keyid;alg="hmac-sha256"`;
  const challenge = { headers: { "www-authenticate": "Signature", "accept-signature": accept } };

  return async (request, context) => {
    const deny = (code: keyof typeof codes & string) => refuse(context, codes, code, challenge);
    const fields = [request.headers.get("signature-input"), request.headers.get("signature")];
    if (fields.includes(null)) return deny("signature-missing");
    if (fields.some((it) => (it ?? "").length > maxFieldLength)) return deny("signature-invalid");
    const signed = await verifyRequest(request, keys, required);
    if (!signed) return deny("signature-invalid");
    const { created, expires, keyid, nonce } = signed.parameters;
    const createdMs = Number(created) * 1000;
    const expiresMs = Math.min(createdMs + windowMs, expires === undefined ? Number.POSITIVE_INFINITY : expires * 1000);
    const now = deps.now();
    if (createdMs - skewMs > now || now >= expiresMs) return deny("signature-stale");
    if (!(await digestFits(request, context, signed.components, deps))) return deny("signature-invalid");
    // The nonce is checked last, so that only the owner of the key can use it up.
    const isFirst = await withTimeout(timeoutMs, deps, (signal) =>
      state.once(`{${keyid}/${nonce}}`, expiresMs - now, signal),
    ).catch((cause: unknown) => {
      throw new Fault(codes, "replay-unchecked", { cause, headers: { "retry-after": "1" } });
    });
    if (!isFirst) return deny("signature-replayed");
    setFact(context, Consumer, { id: config.keys[keyid as string]?.consumer ?? "", labels: {} });
    return undefined;
  };
};

interface Verifier {
  readonly algorithm: "hmac-sha256";
  /** Compares in constant time (WebCrypto). */
  readonly verify: (data: Uint8Array, signature: Uint8Array) => Promise<boolean>;
}

/** Finds a verifier by key id. An unknown id takes as long and always fails. */
const verifiers = ({ keys }: Config<typeof spec>, deps: Deps): ((keyid: string) => Verifier) => {
  const known = new Map(
    Object.entries(keys).map(([id, it]) => {
      const value = secretOf(it.secret, deps);
      if (value.length < minKeyLength)
        throw new Error(
          `the secret ${it.secret} is shorter than ${minKeyLength} characters; a key for signatures is longer`,
        );
      return [id, verifier(value)];
    }),
  );
  const decoy = verifier("a key that nobody signs with");
  const never: Verifier = {
    ...decoy,
    verify: async (data, signature) => (await decoy.verify(data, signature)) && false,
  };
  return (keyid) => known.get(keyid) ?? never;
};

const verifier = (secret: string): Verifier => {
  const raw = new TextEncoder().encode(secret);
  const key = crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return {
    algorithm: "hmac-sha256",
    verify: async (data, signature) =>
      crypto.subtle.verify("HMAC", await key, signature as BufferSource, data as BufferSource),
  };
};

interface VerifiedSignature {
  readonly parameters: SignatureParameters;
  /** Names of the covered components. */
  readonly components: readonly string[];
}

/** Verifies the signature of a request. Undefined when none is valid. */
const verifyRequest = async (
  request: Request,
  keys: (keyid: string) => Verifier,
  required: readonly string[],
): Promise<VerifiedSignature | undefined> => {
  try {
    const { parameters, components } = await verifySignature(request, {
      policy: {
        algorithms: ["hmac-sha256"],
        requiredComponents: required,
        requiredParameters: ["created", "keyid", "nonce"],
        // The caller checks the time after the signature is verified.
        now: 0,
        clockSkew: Number.MAX_SAFE_INTEGER,
      },
      resolveVerifier: ({ parameters: { keyid } }) => keys(keyid ?? ""),
    });
    const { nonce } = parameters;
    if (typeof nonce !== "string" || nonce === "" || nonce.length > maxNonceLength) return undefined;
    // A component with parameters covers only a part: one key of the query, one item of a list.
    if (components.some((it) => Object.keys(it.parameters).length > 0)) return undefined;
    return { parameters, components: components.map((it) => it.name) };
  } catch (error) {
    if (error instanceof SignatureError) return undefined;
    throw error;
  }
};

/** A body must match its covered Content-Digest (RFC 9530). */
const digestFits = async (
  request: Request,
  context: Context,
  components: readonly string[],
  deps: Deps,
): Promise<boolean> => {
  const covered = components.includes("content-digest");
  const body = await readBody(request, context, deps);
  if (!covered) return body.byteLength === 0;
  const announcedDigest = digestOf(request.headers.get("content-digest") ?? "");
  if (!announcedDigest) return false;
  const actualDigest = new Uint8Array(await crypto.subtle.digest("SHA-256", body as BufferSource));
  return (
    announcedDigest.byteLength === actualDigest.byteLength &&
    announcedDigest.every((byte, index) => byte === actualDigest[index])
  );
};

const digestOf = (field: string): Uint8Array | undefined => {
  if (field.length > maxFieldLength) return undefined;
  try {
    const [digest] = parseDictionary(field).get("sha-256") ?? [];
    return digest instanceof ArrayBuffer ? new Uint8Array(digest) : undefined;
  } catch {
    return undefined;
  }
};
