/**
 * Versions that were taken back: a failed verdict, an abort or a rollback gave their requests to an older version. Control's
 * history says why; without it, the platform's deployments show it, and their messages name the rollout.
 */
import type { Rollout } from "../../functions/control/model/rollout.ts";
import { formatTime } from "../terminal/arguments.ts";
import { toOneLine } from "../terminal/terminal.ts";
import type { Deployment, Releases } from "./releases.ts";

export interface TakenBack {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Who: `rollout 1fe43f7b`, or the author of the deployment. */
  readonly by: string;
  /** Empty if it is unknown. */
  readonly why: string;
  /** The rollout that returned its users. */
  readonly rollout?: string;
  /**
   * Whether it was a rollback by name. Otherwise an older version replaced it, as when an older manifest is deployed; whoever
   * did that may deploy the newer one again.
   */
  readonly isRollback: boolean;
}

/** Message of a deployment that `postern rollback` makes. */
export const rollbackMessage = (reason: string | undefined): string =>
  reason === undefined ? "postern rollback" : `postern rollback: ${reason}`;

/**
 * The taken-back versions of a Worker, by id.
 *
 * @param rollouts of its tier, newest first; undefined if control is unknown
 */
export const takenBackVersions = (
  worker: string,
  releases: Releases,
  rollouts: readonly Rollout[] = [],
): ReadonlyMap<string, TakenBack> => {
  const found = takenBackByDeployments(releases);
  const decided = new Set<string>();
  for (const it of rollouts) {
    const canary = it.subjects.find((subject) => subject.worker === worker)?.canary;
    // Of several rollouts of a version, the newest counts.
    if (canary === undefined || decided.has(canary)) continue;
    decided.add(canary);
    const at = it.endedAt ?? it.startedAt;
    const isBack = it.status === "rolled-back" || it.status === "returning";
    if (isBack && !hadAllRequestsSince(releases, canary, at) && (found.get(canary)?.at ?? 0) <= at + slackMs)
      found.set(canary, { at, by: `rollout ${it.id}`, why: it.why, rollout: it.id, isRollback: true });
  }
  return found;
};

/** Control's clock and the platform's differ; and a rollback has several Workers. */
const slackMs = 60_000;

const hadAllRequestsSince = ({ deployments }: Releases, version: string, at: number): boolean =>
  deployments.some(
    ({ created_on, versions }) =>
      Date.parse(created_on) > at &&
      versions.some(({ version_id, percentage }) => version_id === version && percentage === 100),
  );

const takenBackByDeployments = ({ versions, deployments }: Releases): Map<string, TakenBack> => {
  const found = new Map<string, TakenBack>();
  const numberOf = (id: string) => versions.find((it) => it.id === id)?.number ?? 0;
  const idsOf = (it: Deployment) => it.versions.map(({ version_id }) => version_id);
  const oldestFirst = deployments.toReversed();
  for (const [index, next] of oldestFirst.entries()) {
    const before = oldestFirst[index - 1];
    const live = idsOf(next);
    for (const { version_id, percentage } of next.versions) if (percentage === 100) found.delete(version_id);
    const removed = (before ? idsOf(before) : []).filter((id) => !live.includes(id));
    for (const id of removed) {
      if (live.every((other) => numberOf(other) < numberOf(id))) found.set(id, takenBackBy(next));
      // A newer version took over: nobody took this one back.
      else if (before && id === largest(before)) found.delete(id);
    }
  }
  return found;
};

const largest = ({ versions }: Deployment): string | undefined =>
  versions.toSorted((a, b) => b.percentage - a.percentage)[0]?.version_id;

const takenBackBy = ({ created_on, author_email, annotations }: Deployment): TakenBack => {
  const message = annotations?.["workers/message"] ?? "";
  const at = Date.parse(created_on);
  const [, rollout] = /^postern ([^/\s]+)\/\d+: back$/.exec(message) ?? [];
  if (rollout !== undefined) return { at, by: `rollout ${rollout}`, why: "", rollout, isRollback: true };
  const by = author_email ?? "someone";
  if (message.startsWith(rollbackMessage(undefined)) || annotations?.["workers/triggered_by"] === "rollback")
    return { at, by, why: message, isRollback: true };
  return { at, by, why: `an older version was deployed${message ? `: ${message}` : ""}`, isRollback: false };
};

/** @returns as `by rollout 1fe43f7b at 2026-11-30 17:02:11 UTC: errors: …` */
export const takenBackText = ({ by, why, at }: TakenBack): string =>
  toOneLine(`by ${by} at ${formatTime(at)} UTC${why ? `: ${why}` : ""}`);
