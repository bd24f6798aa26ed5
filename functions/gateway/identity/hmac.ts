/** HMAC-SHA-256 (RFC 2104) with a secret in UTF-8. The key is imported once. */
export const hmacSha256 = (secret: string): ((text: string) => Promise<Uint8Array>) => {
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  let key: CryptoKey | undefined;
  return async (text) => {
    // Caches the key, not a promise: the request that created the promise may be cancelled.
    key ??= await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  };
};
