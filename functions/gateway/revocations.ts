/** Tokens that were taken back before their time. */
import { sha256 } from "./hash.ts";

/** @throws where the namespace cannot be read */
export const revokedIn = (namespace: KVNamespace | undefined, issuer: string, cacheMs: number) => {
  if (!namespace) throw new Error("no KV namespace is bound as REVOCATIONS");
  const cacheTtl = cacheMs / 1000;
  return async (jti: string): Promise<boolean> =>
    (await namespace.get(await sha256(`${issuer}\n${jti}`), { cacheTtl })) !== null;
};
