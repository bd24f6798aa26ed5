/** Reads the platform's refusal of a rollback that would restore older values of secrets (code 10220). */
import { splitSecret } from "../../front/version-keys.ts";
import { cacheSecret } from "../../gateway/identity/shared-cache.ts";

export const secretsChangedCode = 10220;

/** Names of the changed secrets, as the platform lists them. */
export const changedSecretsIn = (message: string): readonly string[] =>
  (/secrets have changed: (.*?)(?: \[code|$)/m.exec(message)?.[1] ?? "").split(/,\s*/).filter((name) => name !== "");

/** `postern deploy` generates them. An older gate runs without the secret of the shared cache, and an older front without that of version keys. */
const generated: readonly string[] = [cacheSecret, splitSecret];

/** Whether only generated secrets have changed, so that a rollback restores no secret that a person set. */
export const isOnlyGeneratedChanged = (message: string): boolean => {
  const names = changedSecretsIn(message);
  return names.length > 0 && names.every((name) => generated.includes(name));
};
