/**
 * Which users get a new version first. A rollout has the users of its Workers assigned anew before it divides them, and never
 * while they are divided. Otherwise the same users would be the first in every rollout.
 */
import { frontName } from "../../front/front-name.ts";
import type { Assignment, Deployment, Rollout, RolloutStep } from "../model/rollout.ts";
import { parseSubject } from "../model/subject.ts";
import type { Releasable } from "./candidates.ts";

/** Whether some users have the one version and some the other. */
const divides = (share: number): boolean => share > 0 && share < 100;

/**
 * @param earlier rollouts of the tier
 * @returns undefined if no user is assigned anew: the front's users and those of a cutover are assigned without epochs
 */
export const newAssignment = (
  { tier, steps }: Pick<Rollout, "tier" | "steps">,
  found: readonly Releasable[],
  earlier: readonly Rollout[],
): Assignment | undefined => {
  if (tier === frontName || parseSubject(tier).route !== null) return undefined;
  if (!steps.some(({ share }) => divides(share))) return undefined;
  const workers = found
    .filter(({ deployment }) => !isDivided(deployment))
    .map(({ subject }) => subject.worker)
    .filter((worker) => earlier.some((it) => usedEpoch(it, worker)));
  return workers.length > 0 ? { workers, from: null } : undefined;
};

const isDivided = ({ versions }: Pick<Deployment, "versions">): boolean =>
  versions.filter(({ percentage }) => percentage > 0).length > 1;

/**
 * Whether it came to a step that divides the Worker's users: the answer of the platform may have been lost. Or it had an epoch of
 * its own, which fronts may not have yet if it was aborted at once.
 */
const usedEpoch = ({ subjects, steps, step, assignment }: Rollout, worker: string): boolean =>
  subjects.some((subject) => subject.worker === worker) &&
  (assignment !== undefined || steps.slice(0, step + 1).some(({ share }: RolloutStep) => divides(share)));

/** The assignment that has to be published. */
export const unpublished = ({ status, assignment }: Rollout): Assignment | undefined =>
  status === "running" && assignment?.from === null ? assignment : undefined;

/** The assignment was published, or the feed did not take it. */
export const assigned = (it: Rollout, { from, why }: Pick<Assignment, "from"> & Pick<Rollout, "why">): Rollout =>
  it.assignment?.from === null ? { ...it, assignment: { ...it.assignment, from }, why } : it;

/** Whether the users must not be divided yet, because a front may still assign them as before. */
export const awaitsFronts = ({ goal, assignment }: Pick<Rollout, "goal" | "assignment">, now: number): boolean =>
  assignment !== undefined && divides(goal.share) && (assignment.from === null || now < assignment.from);

/** Someone else's deployment may have divided users who are not assigned anew yet. They keep their versions. */
export const withoutDivided = (it: Rollout, worker: string, deployment: Deployment): Rollout => {
  const { assignment } = it;
  if (assignment?.from !== null || !isDivided(deployment)) return it;
  return { ...it, assignment: { ...assignment, workers: assignment.workers.filter((other) => other !== worker) } };
};
