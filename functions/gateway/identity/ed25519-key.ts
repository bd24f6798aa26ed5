/** A public Ed25519 key of the plan, of which only `x` is written (RFC 8037). */
import { importJWK } from "jose";

/**
 * Imported where it is first asked for, so that a key that cannot be imported fails whatever it would have verified and
 * nothing else: a rejection that nobody awaits would end the Worker's start.
 */
export const ed25519Key = (x: string): (() => Promise<CryptoKey>) => {
  let key: CryptoKey | undefined;
  return async () => {
    key ??= (await importJWK({ kty: "OKP", crv: "Ed25519", x }, "EdDSA")) as CryptoKey;
    return key;
  };
};
