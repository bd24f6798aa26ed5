/** What must hold between manifests. */
import type { CheckedTier } from "./checked.ts";
import type { Problem } from "./problem.ts";

export const tiersCollide = (tiers: readonly CheckedTier[]): Problem[] => [...sameTier(tiers), ...sameBase(tiers)];

const sameTier = (tiers: readonly CheckedTier[]): Problem[] => {
  const owners = new Map<string, string>();
  return tiers.flatMap(({ source, manifest: { tier } }) => {
    const owner = owners.get(tier);
    if (owner === undefined) owners.set(tier, source.file);
    return owner === undefined
      ? []
      : [
          source.problem(["tier"], "duplicate-tier", `${owner} is the manifest of "${tier}" already`, {
            remedy: "give this tier a name of its own",
          }),
        ];
  });
};

/** Told at every claimant: who came first is not for the order of files to say. */
const sameBase = (tiers: readonly CheckedTier[]): Problem[] => {
  const claims = tiers.flatMap((tier) =>
    tier.manifest.hosts.map((host, index) => ({
      key: `${host}${tier.manifest.base}`,
      file: tier.source.file,
      tier,
      index,
    })),
  );
  return claims.flatMap(({ key, file, tier, index }) => {
    const other = claims.find((it) => it.key === key && it.file !== file);
    if (!other) return [];
    const message = `${other.file} claims ${key} too`;
    const remedy = "give one of the two tiers another base";
    return [tier.source.problem(["hosts", index], "base-claimed-twice", message, { remedy })];
  });
};
