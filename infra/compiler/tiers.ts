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

const sameBase = (tiers: readonly CheckedTier[]): Problem[] => {
  const owners = new Map<string, string>();
  return tiers.flatMap(({ source, manifest: { hosts, base } }) =>
    hosts.flatMap((host, index) => {
      const key = `${host}${base}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, source.file);
      return owner === undefined
        ? []
        : [
            source.problem(["hosts", index], "base-claimed-twice", `${owner} serves ${key} already`, {
              remedy: "give one of the two tiers another base",
            }),
          ];
    }),
  );
};
