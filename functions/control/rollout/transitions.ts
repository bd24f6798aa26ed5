/** The transitions of a rollout, which events and commands share. */
import type { Rollout, RolloutNote, RolloutStatus, SplitGoal, Stretch } from "../model/rollout.ts";
import { truncate } from "../model/text.ts";

const maxNotes = 100;
/** In characters. */
export const maxNoteChars = 1000;

export const allHaveIt = "all users have the new version";

/** The hold-back gets the new version too. */
export const endWatch = (it: Rollout, now: number): Rollout =>
  it.goal.share >= 100 ? end(it, "promoted", allHaveIt, now) : advance(it);

export const advance = (it: Rollout): Rollout => {
  const step = it.step + 1;
  const share = it.steps[step]?.share ?? 100;
  const why = `${it.why}; ${share >= 100 ? "all" : `${share} % of the`} users get the new version`;
  return withGoal({ ...it, step, smoked: false, why }, share);
};

/** Until it is applied, users keep the split before: its period of evidence stays open. */
export const withGoal = (it: Rollout, share: number): Rollout => ({
  ...it,
  goal: { seq: it.goal.seq + 1, share, done: [], attempts: 0, notBefore: 0 },
});

/** The Worker gets the split again. */
export const redo = (goal: SplitGoal, worker: string): SplitGoal => ({
  ...goal,
  done: goal.done.filter((done) => done !== worker),
});

export const closeStretches = ({ stretches }: Rollout, now: number): readonly Stretch[] =>
  stretches.map((stretch) => (stretch.until === null ? { ...stretch, until: now } : stretch));

/** Each is evidence to read at every evaluation, and someone else may deploy during a rollout as often as they like. */
const maxStretches = 100;

/** The oldest are forgotten. */
export const withStretch = (
  { stretches }: Pick<Rollout, "stretches">,
  share: number,
  since: number,
): readonly Stretch[] => [...stretches, { share, since, until: null }].slice(-maxStretches);

export const rollBack = (it: Rollout, why: string, now: number): Rollout =>
  withNote({ ...withGoal(it, -1), stretches: closeStretches(it, now), status: "returning", why }, now);

/** The split stays, and so does the period of evidence. */
export const pause = (it: Rollout, why: string, now: number): Rollout =>
  withNote({ ...it, status: "paused", why }, now);

export const end = (it: Rollout, status: RolloutStatus, why: string, now: number): Rollout =>
  withNote({ ...it, status, why, endedAt: now, stretches: closeStretches(it, now) }, now);

export const withNote = (it: Rollout, at: number, by?: string): Rollout => {
  const note: RolloutNote = {
    at,
    what: truncate(`${it.status}: ${it.why}`, maxNoteChars),
    ...(by !== undefined && { by }),
  };
  return { ...it, notes: [...it.notes, note].slice(-maxNotes) };
};
