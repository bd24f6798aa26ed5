/** Finds what a start would release: the tier's Workers that have a new version beside the stable one. */

import type { Platform } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import {
  type Candidate,
  type Deployment,
  isOver,
  type Rollout,
  type RolloutStart,
  type Subject,
} from "../model/rollout.ts";
import { platformText } from "./platform-text.ts";

export interface Releasable {
  readonly subject: Subject;
  /** The Worker's newest deployment. */
  readonly deployment: Deployment;
}

/**
 * @param last the tier's last rollout
 * @throws Refusal if no Worker has a version to release
 */
export const findReleasable = async (
  { tier, facts: { workers }, retry = false }: ReleaseRequest,
  last: Rollout | undefined,
  platform: Platform,
): Promise<readonly Releasable[]> => {
  const found = await Promise.all(workers.map((worker) => subjectOf(worker, retry ? last : undefined, platform)));
  const subjects = found.flatMap((it) => it ?? []);
  if (subjects.length === 0 || (last && isPartOf(last, subjects)))
    throw new Refusal(nothingToRelease(tier, retry, last));
  return subjects;
};

/** Whether only some Workers of the last rollout can be tried again: the others run something else by now. */
const isPartOf = (last: Rollout, found: readonly Releasable[]): boolean =>
  found.some(({ subject }) => last.subjects.includes(subject)) && found.length < last.subjects.length;

/** What a start is about. */
export type ReleaseRequest = Pick<RolloutStart, "tier" | "facts" | "retry">;

const nothingToRelease = (tier: string, retry: boolean, last: Rollout | undefined): string => {
  const none = `no Worker of ${tier} has a new version beside its stable one`;
  if (retry && last)
    return `${none}, and the version of rollout ${last.id} (${last.status}) is live, or others were deployed since: npx postern rollout start ${tier}`;
  const cameBack = last && isOver(last) && last.status !== "promoted";
  const hint = cameBack ? `, or try the version of rollout ${last.id} again: npx postern rollout retry ${tier}` : "";
  return `${none}: npx postern deploy ${tier} --split 0${hint}`;
};

/** @throws Refusal if the platform does not describe the version */
export const describeVersion = async (subject: Subject, platform: Platform): Promise<Candidate> => {
  const answer = await platform.version(subject.worker, subject.canary);
  if (!answer.ok) throw new Refusal(platformText(subject.worker, answer));
  return { ...subject, ...answer.result };
};

/**
 * @param last also finds the version that came back from this rollout
 * @returns undefined for a Worker with nothing but its stable version
 */
const subjectOf = async (
  worker: string,
  last: Rollout | undefined,
  platform: Platform,
): Promise<Releasable | undefined> => {
  const answer = await platform.deployments(worker);
  if (!answer.ok) throw new Refusal(platformText(worker, answer));
  const [newest] = answer.result;
  if (newest?.versions.length === 1) return returned(worker, newest, last);
  if (newest?.versions.length !== 2) return undefined;
  const [stable, canary] = newest.versions.toSorted(
    (a, b) =>
      Number(b.version_id === newest.stable) - Number(a.version_id === newest.stable) || b.percentage - a.percentage,
  );
  if (!stable || !canary) return undefined;
  return { subject: { worker, stable: stable.version_id, canary: canary.version_id }, deployment: newest };
};

/** The version that came back, if the version that was stable then still has all requests: any other is newer. */
const returned = (worker: string, deployment: Deployment, last: Rollout | undefined): Releasable | undefined => {
  const before = last?.subjects.find((it) => it.worker === worker);
  if (!before || deployment.versions[0]?.version_id !== before.stable) return undefined;
  return { subject: before, deployment };
};
