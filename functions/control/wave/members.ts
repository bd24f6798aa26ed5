/** Orders the tiers of a wave by level, from control's plan. */
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import { releaseOf } from "../model/release.ts";
import type { ReleaseConfig } from "../model/release-config.ts";
import { levels, type Member } from "../model/wave.ts";

/**
 * Tiers of a shared Worker are one member. Its level is the highest of all its tiers, selected or not.
 *
 * @param releases the manifests' current releases; control's plan may be older
 * @param tiers names of known tiers
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
