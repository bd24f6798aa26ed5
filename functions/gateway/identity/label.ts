/**
 * A tester's label: routes its bearer to given versions of some gates, also at 0 %. Signed by control (EdDSA), valid
 * for five minutes.
 */
import { ed25519Key } from "./ed25519-key.ts";
import { verifyShortToken } from "./short-token.ts";

export const labelHeader = "postern-label";
export const labelAudience = "postern-label";
/** In seconds. */
export const maxLabelLifeSeconds = 300;

const maxTokenLength = 4096;
const maxWorkers = 50;

export interface TesterLabel {
  /** The version overrides for the platform: `worker="version"` (RFC 8941). */
  readonly versions: string;
  /** Tiers in which the bearer is a tester. In others the bearer counts as a user. */
  readonly tiers: readonly string[];
}

/** @returns undefined for an invalid label */
export type LabelVerifier = (token: string, now: number) => Promise<TesterLabel | undefined>;

/**
 * @param x control's public key, as in a JWK (RFC 8037)
 * @param environment that a label must name
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
