/** Notices about rollouts, waves and approvals that control sends to webhooks and GitHub, and how they are built. */
import { alertText } from "../model/alerts.ts";
import type { Rollout } from "../model/rollout.ts";
import { nextSteps, shareOf, stateOf } from "../model/rollout-state.ts";
import { truncate } from "../model/text.ts";
import { membersAt, type Wave, type WaveStatus } from "../model/wave.ts";
import { waveNextSteps } from "../model/wave-next.ts";
import type { Payloads, RolloutData, WaveData } from "./payloads.ts";

export type NoticeType = keyof Payloads;

/** An event to report. It is sent until it was delivered, always under the same id. */
export interface Notice<T extends NoticeType = NoticeType> {
  /** Letters, digits, `_` and `-`. Derived from the event, so that a repeated event after a crash has the same id. */
  readonly id: string;
  readonly type: T;
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number;
  /** What the notice is about, such as a rollout's id. GitHub receives notices of one subject in order. */
  readonly subject: string;
  readonly data: Payloads[T];
}

/** Adds a notice to the outbox; does not wait for the delivery. @throws if the outbox did not take it; call again then */
export type Notify = (notice: Notice) => Promise<void>;

/** Kinds of a rollout's notices. */
export type RolloutNoticeKind =
  | "started"
  | "step"
  | "watching"
  | "alert"
  | "waiting"
  | "paused"
  | "resumed"
  | "failed"
  | "aborted"
  | "rolled-back"
  | "promoted"
  | "left";

const maxFindings = 20;
/** Of a finding: a sentence names three. The outbox takes no notice whose data is too long. */
const maxCauses = 5;
const maxTextChars = 500;

/** @param count number of the tier's notices so far */
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
  data: { ...rolloutDataOf(it, actor), ...(kind === "alert" && { why: truncate(alertText(it), maxTextChars) }) },
});

const rolloutDataOf = (it: Rollout, actor: string | null): RolloutData => ({
  tier: it.tier,
  rollout: it.id,
  status: it.status,
  state: stateOf(it),
  share: shareOf(it),
  steps: it.steps.map(({ share }) => share),
  why: truncate(it.why, maxTextChars),
  actor,
  startedBy: it.by,
  reason: truncate(it.reason, maxTextChars),
  commit: it.commit ?? null,
  verdict: it.verdict && {
    verdict: it.verdict.verdict,
    // What the next evaluation counts from is no part of a notice.
    findings: it.verdict.findings
      .slice(0, maxFindings)
      .map(({ causes, clusters, limit: _, probes: __, ...finding }) => ({
        ...finding,
        ...(causes && { causes: causes.slice(0, maxCauses) }),
        ...(clusters && { clusters: [...clusters] }),
        why: truncate(finding.why, maxTextChars),
      })),
  },
  // The channel adds the environment's options, and the URL.
  next: [...nextSteps(it)],
});

/** Kinds of a wave's notices: started, resumed, or its new status. */
export type WaveNoticeKind = "started" | "resumed" | Exclude<WaveStatus, "running">;

const maxTiers = 100;

/** @param count number of the waves' notices so far */
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
  next: [...waveNextSteps(it)],
});
