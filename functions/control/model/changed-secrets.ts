/** Reads the platform's refusal of a rollback that would restore older values of secrets (code 10220). */
import { cacheSecret } from "../../gateway/identity/shared-cache.ts";

export const secretsChangedCode = 10220;

/** Names of the changed secrets, as the platform lists them. */
export const changedSecretsIn = (message: string): readonly string[] =>
  (/secrets have changed: (.*?)(?: \[code|$)/m.exec(message)?.[1] ?? "").split(/,\s*/).filter((name) => name !== "");

/**
 * Whether only the secret of the shared cache has changed. `postern deploy` generates it, and an older version runs without
 * it and without sharing a cache. So a rollback restores no secret that a person set.
 */
export const isOnlyGeneratedChanged = (message: string): boolean => {
  const names = changedSecretsIn(message);
  return names.length > 0 && names.every((name) => name === cacheSecret);
};
