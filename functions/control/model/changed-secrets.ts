/** What the platform says when a way back would bring older values of secrets with it (code 10220). */
import { cacheSecret } from "../../gateway/identity/shared-cache.ts";

export const secretsChangedCode = 10220;

/** Names, as the platform lists them. */
export const changedSecretsIn = (message: string): readonly string[] =>
  (/secrets have changed: (.*?)(?: \[code|$)/m.exec(message)?.[1] ?? "").split(/,\s*/).filter((name) => name !== "");

/**
 * Whether nothing but the secret of the shared cache differs: `postern deploy` made it for a version after the one that is
 * gone back to, which runs without it, and then shares nothing. No person's secret comes back.
 */
export const isOnlyGeneratedChanged = (message: string): boolean => {
  const names = changedSecretsIn(message);
  return names.length > 0 && names.every((name) => name === cacheSecret);
};
