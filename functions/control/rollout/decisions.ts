/** Keeps the verdict of each decision, since the next evaluation replaces it. */
import type { Rollout } from "../model/rollout.ts";
import type { RolloutNotice } from "./events.ts";

/** Each has a verdict of several kilobytes. */
const maxDecisions = 6;

/** @param kind of the change from `before` to `after` */
export const withDecision = (
  before: Rollout,
  after: Rollout,
  kind: RolloutNotice["kind"] | undefined,
  now: number,
): Rollout => {
  const { verdict, decisions = [] } = after;
  if (!verdict || (kind !== "failed" && kind !== "paused" && kind !== "step")) return after;
  const decision = { at: now, share: before.goal.share, what: kind, verdict };
  return { ...after, decisions: [...decisions, decision].slice(-maxDecisions) };
};
