/** Rollouts of a route's cutover: the old gateway is the stable version, the gate is the new one, and an overlay entry splits users between them. */

import { share } from "../../gateway/core/quantities.ts";
import type { CutoverSide } from "../../gateway/core/types.ts";
import { type EntryOfKind, maxEntryMs, type OverlayEntry } from "../../gateway/overlay/overlay.ts";
import type { ControlPlan, TierFacts } from "../model/plan.ts";
import type { Platform, PlatformAnswer } from "../model/platform.ts";
import { type Deployment, isOver, type Rollout } from "../model/rollout.ts";
import type { World } from "../model/runtime.ts";
import { parseSubject } from "../model/subject.ts";
import { isInManifest, withEntry } from "../overlay/changes.ts";
import { amendEntries, type Feed } from "../overlay/feed-client.ts";

export const legacy = "legacy" satisfies CutoverSide;
export const gate = "gate" satisfies CutoverSide;

type CutoverEntry = EntryOfKind<"cutover">;

const entryOf = (all: readonly OverlayEntry[], route: string): CutoverEntry | undefined =>
  all.findLast((it): it is CutoverEntry => it.kind === "cutover" && it.route === route);

/** The share of users that the gate serves, in [0, 1]: from the overlay, else from the manifest. */
export const movedShare = (
  all: readonly OverlayEntry[],
  route: string,
  { routes }: Pick<TierFacts, "routes">,
): number => share(entryOf(all, route)?.percent ?? routes[route]?.cutover?.percent ?? "0%");

/** Deployment id where no overlay entry exists and the manifest applies. */
const manifestId = "manifest";

/** The platform for routes with a cutover. A split is an overlay entry, and every isolate applies it within ten seconds. */
export const overlayPlatform = (
  feed: Feed,
  plan: Pick<ControlPlan, "tiers">,
  { now, uuid }: Pick<World, "now" | "uuid">,
): Platform => {
  // An entry that someone else wrote meanwhile is not overwritten.
  let lastSeenId: string | undefined;
  const currentId = (all: readonly OverlayEntry[], route: string) => entryOf(all, route)?.id ?? manifestId;
  return {
    deployments: (name) =>
      toAnswer(async () => {
        const { tier, route } = parseRoute(name);
        const { entries } = await feed.read(tier);
        lastSeenId = currentId(entries, route);
        return [deploymentOf(entries, route, plan.tiers[tier])];
      }),
    // The old gateway and the gate are not versions of the platform.
    version: async () => ({ ok: true, result: { tag: null, message: null } }),
    split: (name, versions, message) =>
      toAnswer(async () => {
        const { tier, route } = parseRoute(name);
        const percent = `${versions.find(({ version_id }) => version_id === gate)?.percentage ?? 0}%`;
        const id = uuid().slice(0, 8);
        const until = now() + maxEntryMs;
        const entry: OverlayEntry = { kind: "cutover", route, percent, id, until, by: "control", reason: message };
        const after = await amendEntries(feed, tier, (all) => {
          if (lastSeenId !== undefined && currentId(all, route) !== lastSeenId)
            throw new OverlayConflict(`the cutover of ${name} has just been changed by someone else`);
          return withEntry(all, entry);
        });
        if (!after) throw new Error("the overlay is written too often by others; try again");
        lastSeenId = id;
        return { id };
      }),
  };
};

/** A retry would fail again. */
class OverlayConflict extends Error {
  override readonly name = "OverlayConflict";
}

const toAnswer = async <T>(work: () => Promise<T>): Promise<PlatformAnswer<T>> => {
  try {
    return { ok: true, result: await work() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, status: error instanceof OverlayConflict ? 409 : 0, code: null, message };
  }
};

const parseRoute = (name: string): { readonly tier: string; readonly route: string } => {
  const { tier, route } = parseSubject(name);
  if (route === null) throw new Error(`${name} is not a route`);
  return { tier, route };
};

const deploymentOf = (all: readonly OverlayEntry[], route: string, facts: TierFacts | undefined): Deployment => {
  const entry = entryOf(all, route);
  // The platform rounds a split to hundredths of a per cent.
  const percentage = Math.round(movedShare(all, route, facts ?? { routes: {} }) * 10_000) / 100;
  return {
    id: entry?.id ?? manifestId,
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
 * Extends the expiry of the rollout's overlay entry: the decided share must hold until a manifest has it. Ends when the
 * rollout is over and the manifest has the share.
 */
export const renewEntry = (
  it: Rollout,
  facts: TierFacts | undefined,
  now: number,
): ((all: readonly OverlayEntry[]) => readonly OverlayEntry[]) => {
  const { route } = parseRoute(it.tier);
  return (all) => {
    const entry = entryOf(all, route);
    const ours = entry?.reason.startsWith(`postern ${it.id}/`);
    if (!entry || !ours || entry.until - now > maxEntryMs / 2) return all;
    if (isOver(it) && facts && isInManifest(entry, facts)) return all;
    return all.map((other) => (other === entry ? { ...entry, until: now + maxEntryMs } : other));
  };
};
