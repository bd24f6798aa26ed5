/** The state of a rollout as people see it, since when it has it, and what a person can do. */
import { isOver, isWatched, type Rollout } from "./rollout.ts";
import { parseSubject } from "./subject.ts";

export const rolloutStates = [
  "running",
  "waiting",
  "watching",
  "paused",
  "returning",
  "rolled-back",
  "promoted",
  "left",
] as const;

/**
 * `waiting`: the step's bake is over, and it holds until a person promotes it. `watching`: the new version is observed after its
 * promotion. Others are the status.
 */
export type RolloutState = (typeof rolloutStates)[number];

export const stateOf = (it: Rollout): RolloutState => {
  if (isWaiting(it)) return "waiting";
  return it.status === "running" && isWatched(it) ? "watching" : it.status;
};

/** The reason of a step with `hold` after its bake. */
export const waitingReason = ({ steps, step }: Pick<Rollout, "steps" | "step">): string =>
  `the step at ${steps[step]?.share} % holds until a person promotes it`;

const isWaiting = (it: Rollout): boolean => it.status === "running" && it.why === waitingReason(it);

/** Milliseconds since the epoch. */
export const stateSince = (it: Rollout): number => {
  if (it.endedAt !== null && isOver(it)) return it.endedAt;
  const noted = it.notes.findLast(({ what }) => what.startsWith(`${it.status}:`))?.at ?? it.startedAt;
  if (!isWaiting(it)) return noted;
  const baked = (it.stretches.at(-1)?.since ?? noted) + (it.steps[it.step]?.bakeMs ?? 0);
  return Math.max(noted, baked);
};

/**
 * When it pauses if it does not pass: after the evidence timeout, or after one more bake if it is held. In that bake, clients whom
 * nobody can imitate may confirm what others show.
 * @returns milliseconds since the epoch
 */
export const pausesAt = (it: Rollout, now: number): number => {
  const since = Math.max(it.stretches.at(-1)?.since ?? now, it.resumedAt ?? 0);
  const bakeMs = it.steps[it.step]?.bakeMs ?? 0;
  const givesUpAt = since + bakeMs + it.patienceMs;
  if (it.verdict?.verdict !== "hold") return givesUpAt;
  // It may be held only long after the bake.
  return Math.min(givesUpAt, Math.max(it.heldSince ?? 0, since + bakeMs) + bakeMs);
};

/** The new version's share of the users, in per cent. */
export const shareOf = (it: Rollout): number =>
  it.status === "promoted" ? 100 : it.status === "rolled-back" ? 0 : Math.max(0, it.goal.share);

export interface NextStep {
  /** What to type. */
  readonly command: string;
  /** What it does. */
  readonly does: string;
}

/** Options that select an environment: production is the default. */
export const optionsFor = (environment: string): string =>
  environment === "production" ? "" : environment === "local" ? " --target local" : ` --env ${environment}`;

/**
 * What a person can type in this state, the safest last.
 * @param options appended to each command
 */
export const nextSteps = (it: Rollout, options = ""): readonly NextStep[] => {
  const rollout = (verb: string, does: string): NextStep => ({
    command: `npx postern rollout ${verb} ${it.tier}${options}`,
    does,
  });
  const show = { command: `npx postern rollout show ${it.tier} ${it.id}${options}`, does: "show the evidence" };
  const abort = rollout("abort", "return all users to the stable version");
  const next = it.steps[it.step + 1]?.share;
  const promote = (does: string) => (next === undefined ? [] : [rollout("promote", does)]);
  switch (stateOf(it)) {
    case "running":
      return [rollout("watch", "follow it"), rollout("pause", "stay at this share"), abort];
    case "waiting":
      return [...promote(`continue with ${next} %`), abort];
    case "watching":
      return [rollout("watch", "follow it"), rollout("promote", "end the watch, and give it to all users"), abort];
    case "paused":
      if (it.foreign) return afterForeign(it, rollout, options);
      return isRollbackStuck(it) ? afterStuck(it, rollout, options) : [...pausedSteps(it, rollout, promote), abort];
    case "returning":
      return [rollout("watch", "follow it until all users have the stable version"), show];
    case "rolled-back":
      return [
        show,
        // A cutover has no versions.
        ...(parseSubject(it.tier).route !== null
          ? []
          : [rollout("retry", "try the same version again, if the cause was elsewhere")]),
        rollout("start", "release a corrected version"),
      ];
    case "promoted":
      return [show, abort];
    case "left":
      return [show, releases(it, "show what is deployed, and by whom", options)];
  }
};

type Command = (verb: string, does: string) => NextStep;

const pausedSteps = (it: Rollout, rollout: Command, promote: (does: string) => readonly NextStep[]): NextStep[] => [
  rollout("resume", "continue at this share, and wait for evidence"),
  ...promote(`continue with ${it.steps[it.step + 1]?.share} % without waiting for evidence`),
];

/** The platform refused to return users to the stable version, so they may still have the new one. */
export const isRollbackStuck = ({ status, goal, foreign }: Rollout): boolean =>
  status === "paused" && goal.share < 0 && !foreign;

const afterStuck = (it: Rollout, rollout: Command, options: string): NextStep[] => [
  rollout("abort", "try again to return all users to the stable version"),
  releases(it, "show which version users have", options),
];

/** Someone else deployed, or changed a secret. */
const afterForeign = (it: Rollout, rollout: Command, options: string): NextStep[] => [
  releases(it, "show what is deployed, and by whom", options),
  rollout("resume", "replace it by this rollout's split"),
  rollout("abort", "end the rollout, and keep what is deployed"),
];

/** A cutover's versions are those of its tier. */
const releases = ({ tier }: Rollout, does: string, options: string): NextStep => ({
  command: `npx postern releases ${parseSubject(tier).tier}${options}`,
  does,
});

/** URL of a rollout's evidence in the admin API. */
export const evidencePath = ({ tier, id }: Pick<Rollout, "tier" | "id">): string =>
  `/v1/rollouts/${encodeURIComponent(tier)}/${encodeURIComponent(id)}`;
