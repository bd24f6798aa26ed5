/** The state machine of a wave: pure functions from state and event to the next state and the due actions. */

import { type WavePosition, waveMismatch } from "../model/approval.ts";
import { Refusal } from "../model/refusal.ts";
import { truncate } from "../model/text.ts";
import {
  isActive,
  isWaveOver,
  levels,
  type Member,
  membersAt,
  type RolloutSummary,
  type Wave,
  type WaveNote,
} from "../model/wave.ts";

export type WaveCommand = "pause" | "resume" | "abort";

export type WaveEvent =
  /** A tier's rollout that this wave started; null if it started none. */
  | { readonly kind: "seen"; readonly tier: string; readonly rollout: RolloutSummary | null }
  /** A refused start. */
  | { readonly kind: "refused"; readonly tier: string; readonly why: string }
  /** A rollout has been aborted. */
  | { readonly kind: "told"; readonly tier: string }
  /** All rollouts were observed: the next tiers can start. */
  | { readonly kind: "looked" }
  | {
      readonly kind: "asked";
      readonly command: WaveCommand;
      /** For `abort`: also promoted tiers. */
      readonly all: boolean;
      readonly by: string;
      readonly reason: string;
      /** The wave's position when the command was proposed. */
      readonly approved?: WavePosition | undefined;
    };

export interface WaveAction {
  readonly kind: "start" | "take-back";
  readonly member: Member;
}

const maxNotes = 1000;
/** In characters. Notes and hundreds of tiers have to fit into one stored value. */
const maxNoteChars = 300;
/** A refused start is retried, such as after a 429; after so many attempts the tier counts as failed. */
const maxAttempts = 5;
const firstBackoffMs = 2000;

/** @throws Refusal for a command that is not possible in this state */
export const reduceWave = (it: Wave, event: WaveEvent, now: number): Wave => {
  if (event.kind === "asked") {
    const mismatch = event.approved && waveMismatch(event.approved, it);
    if (mismatch) throw new Refusal(`what was approved does not hold: ${mismatch}; propose it again`);
    return settle(applyCommand(it, event, now), now);
  }
  if (isWaveOver(it)) return it;
  if (event.kind === "looked") return startNext(it, now);
  const member = it.members.find(({ tier }) => tier === event.tier);
  if (!member) return it;
  if (event.kind === "told") return withMember(it, { ...member, told: true });
  const after =
    event.kind === "refused" ? startRefused(member, event.why, now) : rolloutSeen(it, member, event.rollout);
  if (isSame(after, member)) return it;
  const state = withMember(it, after);
  return settle(after.place === member.place ? state : withNote(state, memberSummary(after), now), now);
};

/** The next action. Idempotent: it returns the same action until an event confirms it, also after a crash. */
export const dueActions = (it: Wave, now: number): readonly WaveAction[] => [
  ...(it.status === "running" ? membersAt(it, "starting") : [])
    .filter(({ notBefore }) => now >= notBefore)
    .map((member) => ({ kind: "start" as const, member })),
  ...membersAt(it, "returning")
    .filter(({ told }) => !told)
    .map((member) => ({ kind: "take-back" as const, member })),
];

/** Members whose rollouts are observed. A promoted one may still be aborted by a person, which counts as a failure. */
export const observedMembers = (it: Wave): readonly Member[] =>
  membersAt(it, "starting", "under-way", "returning", "promoted");

const rolloutSeen = (it: Wave, member: Member, rollout: RolloutSummary | null): Member => {
  if (!rollout)
    // A decided start that has not happened is dropped when the wave no longer runs.
    return member.place === "starting" && it.status !== "running" ? { ...member, place: "waiting", why: "" } : member;
  const { id, status, why, waits, watched } = rollout;
  const isReturned = status === "rolled-back" || status === "left";
  const share = isReturned ? 0 : Math.max(0, rollout.share);
  const known = { ...member, rollout: id, why, share, waits, watched };
  if (member.place === "returning") return isReturned ? { ...known, place: "back" } : known;
  if (isReturned) return { ...known, place: "failed" };
  if (it.status === "aborting" && isActive(member)) return { ...known, place: "returning", waits: false };
  // A rollout that is being rolled back counts as failed immediately.
  if (status === "returning") return { ...known, place: "failed" };
  return { ...known, place: status === "promoted" ? "promoted" : "under-way" };
};

/** Hundreds of members are observed every few seconds; only changes are stored. */
const isSame = (a: Member, b: Member): boolean =>
  (Object.keys(a) as (keyof Member)[]).every((key) => a[key] === b[key]);

const startRefused = (member: Member, why: string, now: number): Member => {
  const attempts = member.attempts + 1;
  return attempts >= maxAttempts
    ? { ...member, attempts, place: "failed", why: `could not start: ${why}` }
    : { ...member, attempts, why, notBefore: now + firstBackoffMs * 2 ** (attempts - 1) };
};

/** The current level: the first with an unfinished tier. */
const currentLevel = (it: Wave) => {
  const open = it.members.filter(({ place }) => place !== "promoted" && place !== "passed-over");
  return levels.find((level) => open.some((member) => member.level === level));
};

const startNext = (it: Wave, now: number): Wave => {
  if (it.status !== "running") return it;
  const level = currentLevel(it);
  const free = Math.max(0, it.concurrent - it.members.filter(isActive).length);
  const next = membersAt(it, "waiting")
    .filter((member) => member.level === level)
    .slice(0, free);
  return next.reduce(
    (state, member) =>
      withNote(withMember(state, { ...member, place: "starting", why: "starting" }), `${member.tier} starts`, now),
    it,
  );
};

/** Derives the wave's status from its members. */
const settle = (it: Wave, now: number): Wave => {
  const [first] = membersAt(it, "failed");
  const open = it.members.some(isActive);
  if ((it.status === "running" || it.status === "paused") && first)
    return settle(noteStatus({ ...it, status: "stopping", why: failureReason(it, "starts") }, now), now);
  if (it.status === "stopping" && !open) return end(it, "failed", failureReason(it, "started"), now);
  if (it.status === "aborting" && !open && membersAt(it, "returning").length === 0)
    return end(it, "aborted", it.why, now);
  if (it.status === "running" || it.status === "paused") {
    if (currentLevel(it) === undefined && !membersAt(it, "promoted").some(({ watched }) => watched))
      return end(it, "promoted", progress(it), now);
    if (it.status === "running") return { ...it, why: progress(it) };
  }
  return it;
};

const failureReason = (it: Wave, verb: "starts" | "started"): string =>
  `${membersAt(it, "failed")
    .slice(0, 3)
    .map(({ tier, why }) => `${tier} failed: ${why}`)
    .join("; ")}; no further tier ${verb}`;

/** @returns as `12 of 30 tiers are promoted; a-3 waits for a person` */
export const progress = (it: Wave): string => {
  const passed = membersAt(it, "passed-over");
  const watched = membersAt(it, "promoted").filter((member) => member.watched);
  const waiting = it.members.filter((member) => (isActive(member) || watched.includes(member)) && member.waits);
  return [
    `${membersAt(it, "promoted").length} of ${it.members.length} tiers are promoted`,
    ...(passed.length > 0 ? [`${list(passed)} passed over`] : []),
    ...(watched.length > 0 ? [`${list(watched)} still watched`] : []),
    ...(waiting.length > 0 ? [`${list(waiting)} ${waiting.length === 1 ? "waits" : "wait"} for a person`] : []),
  ].join("; ");
};

const list = (members: readonly Member[]): string => {
  const names = members.slice(0, 5).map(({ tier }) => tier);
  return members.length > names.length
    ? `${names.join(", ")} and ${members.length - names.length} more`
    : names.join(", ");
};

const memberSummary = ({ tier, place, why }: Member): string =>
  place === "promoted" ? `${tier} is promoted` : `${tier} ${place}${why ? `: ${why}` : ""}`;

const withMember = (it: Wave, member: Member): Wave => ({
  ...it,
  members: it.members.map((other) => (other.tier === member.tier ? member : other)),
});

const end = (it: Wave, status: Wave["status"], why: string, now: number): Wave =>
  noteStatus({ ...it, status, why, endedAt: now }, now);

/** Adds a note with the wave's status. */
const noteStatus = (it: Wave, at: number, by?: string): Wave => withNote(it, `${it.status}: ${it.why}`, at, by);

const withNote = (it: Wave, what: string, at: number, by?: string): Wave => {
  const note: WaveNote = { at, what: truncate(what, maxNoteChars), ...(by !== undefined && { by }) };
  return { ...it, notes: [...it.notes, note].slice(-maxNotes) };
};

const applyCommand = (it: Wave, event: Extract<WaveEvent, { kind: "asked" }>, now: number): Wave => {
  const { command, by, reason } = event;
  const because = reason ? `: ${reason}` : "";
  if (command === "abort") return abort(it, event, now);
  if (command === "pause") {
    if (it.status !== "running") throw new Refusal(`this wave is ${it.status}`);
    return noteStatus({ ...it, status: "paused", why: `${by} paused it${because}` }, now, by);
  }
  if (it.status !== "paused" && it.status !== "stopping" && it.status !== "failed")
    throw new Refusal(`this wave is ${it.status}`);
  const members = it.members.map(
    (member): Member => (member.place === "failed" ? { ...member, place: "passed-over" } : member),
  );
  return noteStatus({ ...it, members, status: "running", endedAt: null, why: `${by} resumed it${because}` }, now, by);
};

/** Rolls back running rollouts and, with `all`, promoted ones. A decided start is observed first. */
const abort = (it: Wave, { all, by, reason }: Extract<WaveEvent, { kind: "asked" }>, now: number): Wave => {
  const returning = it.members.filter(
    ({ place }) => place === "under-way" || place === "returning" || (all && place === "promoted"),
  );
  if (returning.length === 0 && isWaveOver(it))
    throw new Refusal(
      `this wave is ${it.status}${all ? ", and nothing is left to roll back" : "; --all also rolls back what it promoted"}`,
    );
  const members = it.members.map(
    (member): Member =>
      returning.includes(member) ? { ...member, place: "returning", told: false, waits: false } : member,
  );
  const what = all ? "aborted all of it" : "aborted the running rollouts";
  return noteStatus(
    { ...it, members, status: "aborting", endedAt: null, why: `${by} ${what}${reason ? `: ${reason}` : ""}` },
    now,
    by,
  );
};
