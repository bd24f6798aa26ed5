/** Wycheproof's vectors of JOSE, in the runtime of the edge, by the code that verifies tokens and signatures of requests. */
import { compactVerify } from "jose";
import { expect, inject, it } from "vitest";
import { tokenHeaderReader } from "../../functions/gateway/identity/jwt-header.ts";
import { verificationKeys } from "../../functions/gateway/identity/verification-keys.ts";
import { algorithms } from "../../functions/manifest/jwk.ts";
import type { TokenVector, Vectors } from "./vectors.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly wycheproof: Vectors | null;
  }
}

const vectors = inject("wycheproof");
if (!vectors)
  throw new Error(
    "name a folder: POSTERN_WYCHEPROOF=<clone of C2SP/wycheproof>/testvectors_v1 npm run test:wycheproof",
  );

/** Why a token is refused though its vector says that it is valid. `docs/tokens.md` says the same. */
const onPurpose = ({ jws, keys }: TokenVector): string | undefined => {
  const [head = ""] = jws.split(".");
  const { alg } = JSON.parse(atob(head.replaceAll("?", "").replaceAll("-", "+").replaceAll("_", "/")));
  if (String(alg).startsWith("HS")) return "symmetric: a gate holds no key that could also sign";
  if (keys.every((key) => key.alg !== undefined && key.alg !== alg)) return "the key is meant for another algorithm";
  return undefined;
};

/** Whether some key of the set holds for the token, as a gate goes about it. */
const holds = async (jws: string, keys: readonly object[]): Promise<boolean> => {
  try {
    const header = tokenHeaderReader()(jws);
    if (!header || !(algorithms as readonly string[]).includes(header.alg)) return false;
    for (const candidate of verificationKeys(keys as never).candidatesFor(header)) {
      const key = await candidate.importFor(header.alg);
      if (key && (await compactVerify(jws, key, { algorithms: [...algorithms] }).catch(() => undefined))) return true;
    }
    return false;
  } catch {
    return false;
  }
};

const named = ({ file, id, about }: { file: string; id: number; about: string }): string => `${file} ${id} ${about}`;

it("tokens", async () => {
  const wrong: string[] = [];
  const refused = new Map<string, number>();
  for (const it of vectors.tokens) {
    const held = await holds(it.jws, it.keys);
    const reason = it.result === "valid" && !held ? onPurpose(it) : undefined;
    if (reason) refused.set(reason, (refused.get(reason) ?? 0) + 1);
    else if (it.result !== "acceptable" && held !== (it.result === "valid")) wrong.push(`${it.result}: ${named(it)}`);
  }
  console.log(`${vectors.tokens.length} tokens; refused on purpose: ${JSON.stringify(Object.fromEntries(refused))}`);
  expect(wrong).toEqual([]);
});

const bytes = (hex: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array((hex.match(/../g) ?? []).map((it) => Number.parseInt(it, 16)));

const settingsOf = (algorithm: string): object => {
  const hash = `SHA-${algorithm.slice(2)}`;
  if (algorithm.startsWith("RS")) return { name: "RSASSA-PKCS1-v1_5" };
  if (algorithm.startsWith("PS")) return { name: "RSA-PSS", saltLength: Number(algorithm.slice(2)) / 8 };
  return algorithm === "EdDSA" ? { name: "Ed25519" } : { name: "ECDSA", hash };
};

it("signatures", async () => {
  const wrong: string[] = [];
  for (const it of vectors.signatures) {
    const [candidate] = verificationKeys([it.key as never]).candidatesFor({
      alg: it.algorithm,
      kid: undefined,
      x5t: undefined,
      x5tS256: undefined,
    });
    const key = await candidate?.importFor(it.algorithm);
    const held =
      key !== undefined &&
      (await crypto.subtle
        .verify(settingsOf(it.algorithm) as never, key, bytes(it.signature), bytes(it.message))
        .catch(() => false));
    if (it.result !== "acceptable" && held !== (it.result === "valid"))
      wrong.push(`${it.result}: ${named(it)} ${it.flags}`);
  }
  console.log(`${vectors.signatures.length} signatures`);
  expect(wrong).toEqual([]);
});

it("message authentication codes", async () => {
  const wrong: string[] = [];
  for (const it of vectors.macs) {
    const key = await crypto.subtle.importKey("raw", bytes(it.key), { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    const held = await crypto.subtle.verify("HMAC", key, bytes(it.signature), bytes(it.message));
    // A shortened code is one that no request may be signed with.
    if (held !== (it.result === "valid" && it.bits === 256)) wrong.push(`${it.result}: ${named(it)}`);
  }
  console.log(`${vectors.macs.length} codes`);
  expect(wrong).toEqual([]);
});
