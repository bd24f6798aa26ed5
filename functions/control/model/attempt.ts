/**
 * Attempts at one version: each rollout of it. All of them share one error budget, or a harmless version that is retried
 * often enough would be rolled back in the end.
 */
import type { Attempt, EarlierAttempt, Rollout, Subject } from "./rollout.ts";
import { truncate } from "./text.ts";

/** A rollout stores this many earlier attempts; the tier's history has more. */
const maxEarlier = 5;
/** In characters. */
const maxWhyChars = 300;

/** The parts of all attempts, however many, add up to 1, because the sum of 1/k² is π²/6. */
export const budgetOf = (attempt: number): number => 6 / (Math.PI * attempt) ** 2;

/** @param past the tier's rollouts, oldest first */
export const attemptOf = (subjects: readonly Subject[], past: readonly Rollout[]): Attempt => {
  const earlier = past.filter((it) => isSameVersion(subjects, it.subjects));
  // A rollout keeps its number when older ones are forgotten.
  const number = earlier.reduce((count, it) => Math.max(count + 1, it.attempt?.number ?? 0), 0) + 1;
  return { number, budget: budgetOf(number), earlier: earlier.slice(-maxEarlier).toReversed().map(earlierAttemptOf) };
};

/** Whether a rollout would release only versions that an earlier one has released. */
const isSameVersion = (now: readonly Subject[], before: readonly Subject[]): boolean =>
  now.every(({ worker, canary }) => before.some((it) => it.worker === worker && it.canary === canary));

const earlierAttemptOf = ({ id, by, startedAt, endedAt, status, why }: Rollout): EarlierAttempt => ({
  id,
  by,
  startedAt,
  endedAt,
  status,
  why: truncate(why, maxWhyChars),
});

/** @returns as `attempt 2 of this version: rollout 1fe43f7b was rolled back: errors: …`; undefined for the first attempt */
export const againText = ({ number, earlier: [last] }: Attempt): string | undefined => {
  if (number === 1) return undefined;
  return `attempt ${number} of this version${last ? `: rollout ${last.id} was ${last.status.replace("-", " ")}: ${last.why}` : ""}`;
};
