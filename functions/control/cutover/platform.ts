/** Routes that are cut over, as rollouts see them: the old gateway is the stable version, the gate the one that is tried, and the overlay splits the two. */

import { share } from "../../gateway/core/quantities.ts";
import type { Side } from "../../gateway/core/types.ts";
import { type Entry, type Kind, longestEntryMs } from "../../gateway/overlay/overlay.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import type { Answer, Platform } from "../model/platform.ts";
import { type Deployment, isOver, type Rollout } from "../model/rollout.ts";
import { subjectIn } from "../model/subject.ts";
import type { World } from "../model/runtime.ts";
import { isWritten, laid } from "../overlay/changes.ts";
import { amend, type Feed } from "../overlay/feed-client.ts";

export const legacy = "legacy" satisfies Side;
export const gate = "gate" satisfies Side;

type CutoverEntry = Kind<"cutover">;

const entryOf = (all: readonly Entry[], route: string): CutoverEntry | undefined =>
  all.findLast((it): it is CutoverEntry => it.kind === "cutover" && it.route === route);

/** The share of users that the gate serves, in [0, 1]: as the overlay says, else as the manifest does. */
export const movedOf = (all: readonly Entry[], route: string, { routes }: Pick<TierFacts, "routes">): number =>
  share(entryOf(all, route)?.percent ?? routes[route]?.cutover?.percent ?? "0%");

/** What stands where nothing is laid over the manifest. */
const manifest = "manifest";

/** The platform of one route. A split is an entry of the overlay, and every isolate follows it within ten seconds. */
export const overlayPlatform = (
  feed: Feed,
  plan: Pick<ControlPlan, "tiers">,
  { now, uuid }: Pick<World, "now" | "uuid">,
): Platform => {
  // What others laid there since is not written over unseen.
  let seen: string | undefined;
  const standing = (all: readonly Entry[], route: string) => entryOf(all, route)?.id ?? manifest;
  return {
    deployments: (name) =>
      answered(async () => {
        const { tier, route } = routeIn(name);
        const { entries } = await feed.read(tier);
        seen = standing(entries, route);
        return [deploymentOf(entries, route, plan.tiers[tier])];
      }),
    // The old gateway and the gate: neither is a version of the platform's.
    version: async () => ({ ok: true, result: { tag: null, message: null } }),
    split: (name, versions, message) =>
      answered(async () => {
        const { tier, route } = routeIn(name);
        const percent = `${versions.find(({ version_id }) => version_id === gate)?.percentage ?? 0}%`;
        const id = uuid().slice(0, 8);
        const until = now() + longestEntryMs;
        const entry: Entry = { kind: "cutover", route, percent, id, until, by: "control", reason: message };
        const after = await amend(feed, tier, (all) => {
          if (seen !== undefined && standing(all, route) !== seen)
            throw new Declining(`somebody else has just moved users of ${name}`);
          return laid(all, entry);
        });
        if (!after) throw new Error("others write to the overlay all the time");
        seen = id;
        return { id };
      }),
  };
};

/** It would be no better if it were asked again. */
class Declining extends Error {
  override readonly name = "Declining";
}

const answered = async <T>(work: () => Promise<T>): Promise<Answer<T>> => {
  try {
    return { ok: true, result: await work() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, status: error instanceof Declining ? 409 : 0, code: null, message };
  }
};

const routeIn = (name: string): { readonly tier: string; readonly route: string } => {
  const { tier, route } = subjectIn(name);
  if (route === null) throw new Error(`${name} is no route`);
  return { tier, route };
};

const deploymentOf = (all: readonly Entry[], route: string, facts: TierFacts | undefined): Deployment => {
  const entry = entryOf(all, route);
  // As the platform rounds a split.
  const percentage = Math.round(movedOf(all, route, facts ?? { routes: {} }) * 10_000) / 100;
  return {
    id: entry?.id ?? manifest,
    versions: [
      { version_id: legacy, percentage: 100 - percentage },
      { version_id: gate, percentage },
    ],
    stable: legacy,
    message: entry?.reason ?? null,
    author: entry?.by ?? null,
    trigger: null,
  };
};

/**
 * An entry ends with its time, and what a rollout has decided stands until a manifest says it: so it is given more time
 * while the rollout stands where it stands.
 */
export const renewed = (
  it: Rollout,
  facts: TierFacts | undefined,
  now: number,
): ((all: readonly Entry[]) => readonly Entry[]) => {
  const { route } = routeIn(it.tier);
  return (all) => {
    const entry = entryOf(all, route);
    const ours = entry?.reason.startsWith(`postern ${it.id}/`);
    if (!entry || !ours || entry.until - now > longestEntryMs / 2) return all;
    if (isOver(it) && facts && isWritten(entry, facts)) return all;
    return all.map((one) => (one === entry ? { ...entry, until: now + longestEntryMs } : one));
  };
};
