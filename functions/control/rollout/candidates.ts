/** Finds what a start would release: the tier's Workers that have a new version beside the stable one. */

import type { Platform } from "../model/platform.ts";
import { Refusal } from "../model/refusal.ts";
import type { Candidate, RolloutStart, Subject } from "../model/rollout.ts";
import { platformText } from "./platform-text.ts";

export interface Releasable {
  readonly subject: Subject;
  /** Id of the Worker's newest deployment. */
  readonly deployment: string;
}

/** @throws Refusal if no Worker has a version to release */
export const findReleasable = async (
  tier: string,
  { workers }: RolloutStart["facts"],
  platform: Platform,
): Promise<readonly Releasable[]> => {
  const found = await Promise.all(workers.map((worker) => subjectOf(worker, platform)));
  const subjects = found.flatMap((it) => it ?? []);
  if (subjects.length === 0)
    throw new Refusal(`no Worker of ${tier} has a new version beside its stable one: postern deploy ${tier} --split 0`);
  return subjects;
};

/** @throws Refusal if the platform does not describe the version */
export const describeVersion = async (subject: Subject, platform: Platform): Promise<Candidate> => {
  const answer = await platform.version(subject.worker, subject.canary);
  if (!answer.ok) throw new Refusal(platformText(subject.worker, answer));
  return { ...subject, ...answer.result };
};

/** @returns undefined for a Worker with one version for all requests */
const subjectOf = async (worker: string, platform: Platform): Promise<Releasable | undefined> => {
  const answer = await platform.deployments(worker);
  if (!answer.ok) throw new Refusal(platformText(worker, answer));
  const [newest] = answer.result;
  if (newest?.versions.length !== 2) return undefined;
  const [stable, canary] = newest.versions.toSorted(
    (a, b) =>
      Number(b.version_id === newest.stable) - Number(a.version_id === newest.stable) || b.percentage - a.percentage,
  );
  if (!stable || !canary) return undefined;
  return { subject: { worker, stable: stable.version_id, canary: canary.version_id }, deployment: newest.id };
};
