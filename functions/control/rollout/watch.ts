/**
 * What control monitors and may do while a rollout does not advance: paused, waiting for the platform, or in the watch
 * after its promotion.
 */
import type { Finding, Verdict } from "../model/finding.ts";
import { type Alert, type Deployment, isWatched, type Rollout, type Stretch } from "../model/rollout.ts";
import { duration } from "../verdict/format.ts";
import { withStretch } from "./transitions.ts";

/** The period since the last change of the split; undefined if it is unknown, or if no user has the new version. */
export const openStretch = ({ stretches }: Pick<Rollout, "stretches">): Stretch | undefined =>
  stretches.find(({ share, until }) => until === null && share > 0);

/**
 * A Worker had a larger share in the open period than it says: it got the next split before the others, or before control knew.
 * More of its users then have the new version by chance.
 */
export const withLargerShare = (it: Rollout, share: number): Rollout => {
  const open = openStretch(it);
  if (!open || share <= (open.most ?? open.share)) return it;
  return { ...it, stretches: it.stretches.map((stretch) => (stretch === open ? { ...open, most: share } : stretch)) };
};

/**
 * Opens a period for the split that a deployment shows, unless one is open. With several Workers it has their smallest share and
 * their largest one: neither missing requests nor the users of one Worker then make a failure of chance.
 */
export const withObservedSplit = (it: Rollout, worker: string, deployment: Deployment, now: number): Rollout => {
  const share = observedShare(it, worker, deployment);
  if (share === undefined) return it;
  const open = openStretch(it);
  if (!open) return { ...it, stretches: withStretch(it, share, now) };
  if (share >= open.share) return withLargerShare(it, share);
  const both = { ...open, share, most: open.most ?? open.share };
  return { ...it, stretches: it.stretches.map((stretch) => (stretch === open ? both : stretch)) };
};

/** The canary's share of users; 100 if stable has none; undefined if no user has the canary. */
export const observedShare = (
  { subjects }: Pick<Rollout, "subjects">,
  worker: string,
  { versions }: Deployment,
): number | undefined => {
  const subject = subjects.find((it) => it.worker === worker);
  if (!subject) return undefined;
  const { stable, canary } = subject;
  const shareOf = (version: string) => versions.find(({ version_id }) => version_id === version)?.percentage ?? 0;
  if (shareOf(canary) === 0) return undefined;
  return shareOf(stable) > 0 ? shareOf(canary) : 100;
};

/** When the watch of a rollout ends, in milliseconds since the epoch. */
export const watchEndsAt = (it: Rollout): number => (openStretch(it)?.since ?? 0) + (it.steps[it.step]?.bakeMs ?? 0);

/** Criteria that need no stable version to compare with. */
const absolute: ReadonlySet<Finding["criterion"]> = new Set(["limit", "query", "faults"]);

/** Whether a failure rolls back. If others decided the split, or nothing was measured beside the new version, it only alerts. */
export const actsOn = (it: Rollout, { criterion }: Pick<Finding, "criterion">): boolean =>
  !it.foreign && (absolute.has(criterion) || (openStretch(it)?.share ?? 0) < 100);

/** Adds an alert for each failure that has none; in the watch also for a hold, because no step waits for it there. */
export const withAlerts = (it: Rollout, { findings }: Verdict, now: number): Rollout => {
  const isAlerting = ({ verdict }: Finding): boolean => verdict === "fail" || (verdict === "hold" && isWatched(it));
  const known = it.alerts ?? [];
  const added = findings
    .filter(isAlerting)
    .map((finding): Alert => {
      const alert = { key: keyOf(finding), at: now, why: finding.why };
      return finding.verdict === "hold" ? { ...alert, held: true } : alert;
    })
    .filter(({ key, held }) => !known.some((alert) => alert.key === key && (held || !alert.held)));
  return added.length === 0 ? it : { ...it, alerts: [...known, ...added] };
};

const keyOf = ({ criterion, query, limit }: Finding): string =>
  [criterion, query?.name ?? limit ?? []].flat().join(" ");

/** Why the rollout is in its watch. */
export const watchReason = (share: number, watchMs: number): string => {
  const time = duration(watchMs);
  return share >= 100
    ? `all users have the new version; watched for ${time}, without a hold-back`
    : `${share} % of the users have the new version; watched for ${time}, while ${Math.round((100 - share) * 100) / 100} % stay on the stable version`;
};
