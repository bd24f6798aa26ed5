/** What the state of a rollout or a wave exits with: 0 only where its release is done. */
import { isOver, type Rollout } from "../../../functions/control/model/rollout.ts";
import { stateOf } from "../../../functions/control/model/rollout-state.ts";
import { isOnlyWatching, isWaveOver, membersAt, type Wave } from "../../../functions/control/model/wave.ts";
import { type ExitCode, exitCode } from "../../terminal/contract.ts";

export const exitCodeOf = (it: Rollout): ExitCode => {
  if (it.status === "promoted") return 0;
  if (isOver(it) || it.status === "returning") return exitCode.rolledBack;
  if (it.status === "paused") return exitCode.paused;
  return stateOf(it) === "waiting" ? exitCode.personNeeded : exitCode.running;
};

export const waveExitCodeOf = (it: Wave): ExitCode => {
  if (it.status === "promoted") return 0;
  if (it.status === "paused") return exitCode.paused;
  if (isWaveOver(it) || it.status !== "running") return exitCode.rolledBack;
  return needsPerson(it) ? exitCode.personNeeded : exitCode.running;
};

/** Whether the wave cannot continue without a person. */
export const needsPerson = (it: Wave): boolean => {
  const active = membersAt(it, "starting", "under-way", "returning");
  const watched = membersAt(it, "promoted").filter((member) => member.watched);
  if (isOnlyWatching(it)) return watched.every(({ waits }) => waits);
  if (active.some(({ waits }) => !waits)) return false;
  if (it.status !== "running") return active.length > 0 || it.status === "paused";
  const next = membersAt(it, "waiting").some(({ level }) => level === active[0]?.level);
  return active.length >= it.concurrent || (active.length > 0 && !next);
};
