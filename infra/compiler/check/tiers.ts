/** Rules between manifests: base paths that collide or hide routes. Two files of one tier cannot exist, since a file is named after its tier. */
import { parsePath } from "../../../functions/gateway/routing/match.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import type { CheckedRoute, CheckedTier } from "../model/checked.ts";
import { isBroken } from "../model/salvage.ts";
import { placeholderHost } from "./rules/placement.ts";

/** @param tiers their valid parts */
export const checkCollisions = (tiers: readonly CheckedTier[]): Problem[] => {
  const claims = claimsByHost(tiers.filter(({ broken }) => !isBroken(broken, "base")));
  return [...checkSameBase(claims), ...checkHiddenRoutes(claims)];
};

/** A tier on one of its hosts. */
interface HostClaim {
  readonly tier: CheckedTier;
  readonly host: string;
  /** Of the host in the tier's list. */
  readonly index: number;
}

const claimsByHost = (tiers: readonly CheckedTier[]): ReadonlyMap<string, readonly HostClaim[]> =>
  Map.groupBy(
    tiers.flatMap((tier) =>
      [...new Set(tier.manifest.hosts)]
        .filter((host) => host !== placeholderHost)
        .map((host): HostClaim => ({ tier, host, index: tier.manifest.hosts.indexOf(host) })),
    ),
    ({ host }) => host,
  );

/** Reported at every tier involved, since the order of files decides nothing. */
const checkSameBase = (claims: ReadonlyMap<string, readonly HostClaim[]>): Problem[] =>
  [...claims.values()].flatMap((onHost) => {
    const byBase = Map.groupBy(onHost, ({ tier }) => tier.manifest.base.path);
    return onHost.flatMap(({ tier, host, index }) => {
      const { path: base } = tier.manifest.base;
      const other = byBase.get(base)?.find((it) => it.tier !== tier);
      if (!other) return [];
      const message = `${other.tier.source.file} claims ${host}${base} too`;
      const remedy = "give one of the two tiers another base";
      const related = [other.tier.source.related(["hosts", other.index], "it is claimed here")];
      return [tier.source.problem(["hosts", index], "base-claimed-twice", message, { remedy, related })];
    });
  });

/** Requests go to the tier with the longest base, so a nested base hides routes of the outer tier beneath it. */
const checkHiddenRoutes = (claims: ReadonlyMap<string, readonly HostClaim[]>): Problem[] =>
  [...claims.values()].flatMap((onHost) => {
    const byBase = new Map(onHost.map((it) => [it.tier.manifest.base.path, it]));
    // Looks up parent bases, instead of comparing every pair of tiers.
    return [...byBase.values()].flatMap((inner) =>
      parentBases(inner.tier.manifest.base.path).flatMap((base) => {
        const outer = byBase.get(base);
        return outer
          ? outer.tier.routes
              .filter(({ broken }) => !isBroken(broken, "match"))
              .filter((it) => liesUnder(it, inner.tier.manifest.base.path))
              .map((it) => unreachableRoute(it, outer, inner))
          : [];
      }),
    );
  });

/** `/a/b` lies under `/a` and under `/`. */
const parentBases = (base: string): string[] => {
  const parts = base.split("/").slice(1);
  return base === "/" ? [] : parts.map((_, index) => `/${parts.slice(0, index).join("/")}`);
};

const liesUnder = ({ segments }: CheckedRoute, base: string): boolean =>
  parsePath(base).every((it, index) => {
    const own = segments[index];
    return own?.kind === "literal" && it.kind === "literal" && own.text === it.text;
  });

const unreachableRoute = ({ name }: CheckedRoute, { tier, host }: HostClaim, inner: HostClaim): Problem => {
  const {
    base: { path: base },
    tier: other,
  } = inner.tier.manifest;
  return tier.source.problem(
    ["routes", name, "match"],
    "unreachable-route",
    `no request reaches ${name}: all of ${host}${base} goes to the tier ${other}`,
    {
      remedy: `move the route to ${inner.tier.source.file}, or give one of the two another base`,
      related: [inner.tier.source.related(["base"], `${other} claims it here`)],
    },
  );
};
