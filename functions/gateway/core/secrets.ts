/** Secrets: stored by the platform, read when a gate is linked. */
import type { Deps } from "./types.ts";

/** @throws when the secret is not set, so that the platform refuses the version instead of failing every request */
export const secretOf = (name: string, { env }: Pick<Deps, "env">): string => {
  const value = env[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`the secret ${name} is not set; set it with \`postern secrets set ${name} --env <environment>\``);
};
