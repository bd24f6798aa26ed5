/** A public Ed25519 key of the plan, which holds only `x` (RFC 8037). */
import { importJWK } from "jose";

/**
 * Imports the key on first use, so that an invalid key fails only what depends on it. An unhandled rejection at start
 * would end the Worker.
 */
export const ed25519Key = (x: string): (() => Promise<CryptoKey>) => {
  let key: CryptoKey | undefined;
  return async () => {
    key ??= (await importJWK({ kty: "OKP", crv: "Ed25519", x }, "EdDSA")) as CryptoKey;
    return key;
  };
};
