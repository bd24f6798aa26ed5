/** A tester's label: lets its bearer meet one version of some gates, at 0 % as well. EdDSA, by control, five minutes long. */
import { ed25519Key } from "./ed25519-key.ts";
import { verifyShortToken } from "./short-token.ts";

export const labelHeader = "postern-label";
export const labelAudience = "postern-label";
/** In seconds. */
export const maxLabelLifeSeconds = 300;

const maxTokenLength = 4096;
const maxWorkers = 50;

export interface TesterLabel {
  /** What the platform is told: `worker="version"` (RFC 8941). */
  readonly versions: string;
  /** Where its bearer is a tester; in all others one of the users. */
  readonly tiers: readonly string[];
}

/** @returns undefined where the label does not hold */
export type LabelVerifier = (token: string, now: number) => Promise<TesterLabel | undefined>;

/**
 * @param x control's public key, as a JWK has it (RFC 8037)
 * @param environment that a label has to name
 */
export const labels = (x: string, environment: string): LabelVerifier => {
  const purpose = { audience: labelAudience, environment, lifeSeconds: maxLabelLifeSeconds };
  const key = ed25519Key(x);
  return async (token, now) => {
    if (token.length > maxTokenLength) return undefined;
    try {
      const { versions, tiers } = await verifyShortToken(token, await key(), purpose, now);
      const overrides = overridesField(versions);
      return overrides !== undefined && Array.isArray(tiers) ? { versions: overrides, tiers } : undefined;
    } catch {
      return undefined;
    }
  };
};

const overridesField = (versions: unknown): string | undefined => {
  if (typeof versions !== "object" || versions === null) return undefined;
  const entries = Object.entries(versions);
  const plain = entries.every(
    ([worker, version]) => /^[a-z0-9-]{1,63}$/.test(worker) && /^[0-9a-f-]{36}$/.test(String(version)),
  );
  if (!plain || entries.length === 0 || entries.length > maxWorkers) return undefined;
  return entries.map(([worker, version]) => `${worker}="${version}"`).join(", ");
};
