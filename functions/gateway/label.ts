/** A tester's label: lets its bearer meet one version of some gates, at 0 % as well. EdDSA, by control, five minutes long. */
import { jwtVerify } from "jose";
import { edKey } from "./ed-key.ts";

export const labelHeader = "postern-label";
export const labelAudience = "postern-label";
/** In seconds. */
export const longestLabelLife = 300;

const longestToken = 4096;
const mostWorkers = 50;

export interface Label {
  /** What the platform is told: `worker="version"` (RFC 8941). */
  readonly versions: string;
  /** Where its bearer is a tester; in all others one of the users. */
  readonly tiers: readonly string[];
}

/** @returns undefined where the label does not hold */
export type Labels = (token: string, now: number) => Promise<Label | undefined>;

/** @param x control's public key, as a JWK has it (RFC 8037) */
export const labels = (x: string): Labels => {
  const key = edKey(x);
  return async (token, now) => {
    if (token.length > longestToken) return undefined;
    try {
      const { payload } = await jwtVerify(token, await key(), {
        algorithms: ["EdDSA", "Ed25519"],
        audience: labelAudience,
        requiredClaims: ["exp", "iat"],
        clockTolerance: 5,
        currentDate: new Date(now),
      });
      const { exp = Number.POSITIVE_INFINITY, iat = 0, versions, tiers } = payload;
      const told = exp - iat <= longestLabelLife ? dictionary(versions) : undefined;
      return told !== undefined && Array.isArray(tiers) ? { versions: told, tiers } : undefined;
    } catch {
      return undefined;
    }
  };
};

const dictionary = (versions: unknown): string | undefined => {
  if (typeof versions !== "object" || versions === null) return undefined;
  const entries = Object.entries(versions);
  const plain = entries.every(
    ([worker, version]) => /^[a-z0-9-]{1,63}$/.test(worker) && /^[0-9a-f-]{36}$/.test(String(version)),
  );
  if (!plain || entries.length === 0 || entries.length > mostWorkers) return undefined;
  return entries.map(([worker, version]) => `${worker}="${version}"`).join(", ");
};
