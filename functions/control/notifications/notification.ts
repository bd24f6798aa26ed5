/** What control tells the world: the notices, their types, and how those of rollouts and waves are made. */
import type { Rollout } from "../model/rollout.ts";
import { membersAt, type Wave, type WaveStatus } from "../model/wave.ts";
import type { Payloads, RolloutData, WaveData } from "./payloads.ts";

export type NoticeType = keyof Payloads;

/** Something that has happened. It is told until it was heard, under the same id. */
export interface Notice<T extends NoticeType = NoticeType> {
  /** Letters, digits, `_` and `-`. Made of what it tells, so that who dies and tells again tells the same. */
  readonly id: string;
  readonly type: T;
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number;
  /** What it is about, such as a rollout's id: GitHub hears of one subject in order. */
  readonly subject: string;
  readonly data: Payloads[T];
}

/** Hands a notice to the outbox, and waits for nobody outside. @throws where the outbox could not take it; tell it again then */
export type Notify = (notice: Notice) => Promise<void>;

/** What a rollout tells. */
export type RolloutNoticeKind =
  | "started"
  | "step"
  | "waiting"
  | "paused"
  | "resumed"
  | "failed"
  | "aborted"
  | "rolled-back"
  | "promoted"
  | "left";

const maxFindings = 20;
const maxTextChars = 500;

/** @param count of the tier's notices so far */
export const rolloutNotice = (
  kind: RolloutNoticeKind,
  it: Rollout,
  actor: string | null,
  count: number,
  at: number,
): Notice => ({
  id: `msg_${it.id}_${count}`,
  type: `rollout.${kind === "rolled-back" ? "rolled_back" : kind}`,
  at,
  subject: it.id,
  data: rolloutDataOf(it, actor),
});

const rolloutDataOf = (it: Rollout, actor: string | null): RolloutData => ({
  tier: it.tier,
  rollout: it.id,
  status: it.status,
  share: it.status === "promoted" ? 100 : Math.max(0, it.goal.share),
  steps: it.steps.map(({ share }) => share),
  why: truncate(it.why, maxTextChars),
  actor,
  startedBy: it.by,
  reason: truncate(it.reason, maxTextChars),
  commit: it.commit ?? null,
  verdict: it.verdict && {
    verdict: it.verdict.verdict,
    findings: it.verdict.findings
      .slice(0, maxFindings)
      .map((finding) => ({ ...finding, why: truncate(finding.why, 300) })),
  },
});

/** What a wave tells: that it began, that it goes on, or where it stands now. */
export type WaveNoticeKind = "started" | "resumed" | Exclude<WaveStatus, "running">;

const maxTiers = 100;

/** @param count of the waves' notices so far */
export const waveNotice = (
  kind: WaveNoticeKind,
  it: Wave,
  actor: string | null,
  count: number,
  at: number,
): Notice => ({
  id: `msg_wave_${it.id}_${count}`,
  type: `wave.${kind}`,
  at,
  subject: it.id,
  data: waveDataOf(it, actor),
});

const waveDataOf = (it: Wave, actor: string | null): WaveData => ({
  wave: it.id,
  status: it.status,
  tiers: it.members.length,
  promoted: membersAt(it, "promoted").length,
  failed: membersAt(it, "failed", "passed-over")
    .slice(0, maxTiers)
    .map(({ tier, why }) => ({ tier, why: truncate(why, 150) })),
  why: truncate(it.why, maxTextChars),
  actor,
  startedBy: it.by,
  reason: truncate(it.reason, maxTextChars),
  selection: truncate(it.selection, maxTextChars),
});

/** @param max characters */
export const truncate = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1)}…`;
