/** The tiers of a wave in their order, as control's own plan knows their levels and Workers. */
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import { releaseOf } from "../model/release.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import { levels, type Member } from "../model/wave.ts";

/**
 * Tiers that one Worker serves are one member: their level is that of the most important, whether it was chosen or not.
 *
 * @param releases what manifests say now, where control may know an older one
 * @param tiers that the plan knows
 */
export const membersOf = (
  { tiers: known }: Pick<ControlPlan, "tiers">,
  tiers: readonly string[],
  releases: Readonly<Record<string, ReleaseConfig>> = {},
): Member[] => {
  const chosen = [...new Set(tiers)].sort();
  const groups = Map.groupBy(chosen, (tier) => known[tier]?.workers[0]);
  return [...groups.values()]
    .flatMap(([tier]) => (tier === undefined ? [] : [memberOf(tier, known, releases)]))
    .toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level) || (a.tier < b.tier ? -1 : 1));
};

const memberOf = (
  tier: string,
  known: ControlPlan["tiers"],
  releases: Readonly<Record<string, ReleaseConfig>>,
): Member => {
  const facts = known[tier] as TierFacts;
  const along = Object.keys(known).filter((name) => name !== tier && known[name]?.workers[0] === facts.workers[0]);
  const all = [facts, ...along.map((name) => known[name] as TierFacts)];
  return {
    tier,
    along,
    level: levels.findLast((level) => all.some((it) => it.level === level)) ?? facts.level,
    release: (Object.hasOwn(releases, tier) ? releases[tier] : undefined) ?? releaseOf(tier, facts),
    place: "waiting",
    rollout: null,
    share: 0,
    waits: false,
    why: "",
    attempts: 0,
    notBefore: 0,
    told: false,
  };
};
