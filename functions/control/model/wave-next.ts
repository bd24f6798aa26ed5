/** What a person can type about a wave in its state. */
import type { NextStep } from "./rollout-state.ts";
import { isOnlyWatching, membersAt, type Wave } from "./wave.ts";

/** Tiers that are named. */
const maxTiers = 3;

/** @param options appended to each command */
export const waveNextSteps = (it: Wave, options = ""): readonly NextStep[] => {
  const wave = (verb: string, does: string): NextStep => ({ command: `npx postern wave ${verb}${options}`, does });
  const watch = wave("watch", "follow it");
  const abort = wave("abort", "return the users of its running rollouts to the stable versions");
  const abortAll = wave("abort --all", "return the users of all its tiers to the stable versions");
  switch (it.status) {
    case "running":
      // Every tier has started and is promoted: nothing is left to pause.
      if (isOnlyWatching(it)) return [...waitingTiers(it, options), watch, abortAll];
      return [...waitingTiers(it, options), watch, wave("pause", "start no further tier"), abort];
    case "paused":
      return [...waitingTiers(it, options), wave("resume", "start the next tiers"), abort];
    case "stopping":
      return [...failedTiers(it, options), watch, abort];
    case "failed":
      return [...failedTiers(it, options), wave("resume", "continue with the next tiers, without the failed ones")];
    case "aborting":
      return [watch];
    case "promoted":
      return [abortAll];
    case "aborted":
      return [];
  }
};

const waitingTiers = ({ members }: Wave, options: string): NextStep[] =>
  members
    .filter(({ waits }) => waits)
    .slice(0, maxTiers)
    .map(({ tier }) => ({
      command: `npx postern rollout status ${tier}${options}`,
      does: `show why ${tier} waits for a person`,
    }));

const failedTiers = (it: Wave, options: string): NextStep[] =>
  membersAt(it, "failed")
    .slice(0, maxTiers)
    .flatMap(({ tier, rollout }) =>
      rollout === null
        ? []
        : [{ command: `npx postern rollout show ${tier} ${rollout}${options}`, does: `show why ${tier} failed` }],
    );
