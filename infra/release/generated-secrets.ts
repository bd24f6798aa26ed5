/** Generated secrets: each Worker that needs one gets a random value once and keeps it across versions. */
import { randomBytes } from "node:crypto";
import type { Emitted } from "../compiler/emit/emit.ts";
import { platformSecrets } from "./secrets.ts";
import type { Target } from "./target.ts";

type Values = Readonly<Record<string, string>>;

/** 256 bits, in base64url. */
const secretBytes = 32;

/** A value for each name. */
export const generateSecrets = (names: readonly string[]): Values =>
  Object.fromEntries(names.map((name) => [name, randomBytes(secretBytes).toString("base64url")]));

/**
 * Values for the generated secrets that a Worker lacks. Existing values stay, so that both versions of a split, and a
 * rollback, have the same value.
 *
 * @param exists whether the Worker has a version already
 */
export const missingGeneratedSecrets = async (
  { worker, generated: names }: Pick<Emitted, "worker" | "generated">,
  exists: boolean,
  target: Target,
): Promise<Values> => {
  if (names.length === 0) return {};
  const existing = exists ? await platformSecrets(target).names(worker) : [];
  return generateSecrets(names.filter((name) => !existing.includes(name)));
};
