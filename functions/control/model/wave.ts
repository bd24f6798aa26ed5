/** The stored state of a wave: plain JSON. */
import type { TierLevel } from "../../gateway/core/plan.ts";
import type { ReleaseConfig } from "./release-config.ts";
import type { RolloutStatus, Subject } from "./rollout.ts";

/** Levels in release order, least important first. A level starts when the previous one is finished. */
export const levels: readonly TierLevel[] = ["best-effort", "standard", "core"];

/**
 * `stopping`: a tier failed; no further tier starts, running rollouts continue. The last three are final; a `failed` wave
 * can be resumed, which skips the failed tiers.
 */
export type WaveStatus = "running" | "paused" | "stopping" | "aborting" | "promoted" | "failed" | "aborted";

/**
 * `starting`: the start is decided and stored, and happens next. `returning`: likewise for the rollback. `passed-over`: it
 * failed, and a person resumed the wave.
 */
export type MemberPlace =
  | "waiting"
  | "starting"
  | "under-way"
  | "promoted"
  | "failed"
  | "passed-over"
  | "returning"
  | "back";

/** A tier in a wave. */
export interface Member {
  readonly tier: string;
  /** Other tiers of the same Workers, which are released with it. */
  readonly along: readonly string[];
  readonly level: TierLevel;
  readonly release: ReleaseConfig;
  /** The approved versions: its rollout starts with these or not at all. */
  readonly approved?: readonly Subject[];
  readonly place: MemberPlace;
  /** Id of its rollout. */
  readonly rollout: string | null;
  /** The new version's share, in per cent. */
  readonly share: number;
  /** Its rollout is paused, or its step holds: it waits for a person. */
  readonly waits: boolean;
  /** It is promoted, and in the watch after it. Absent in waves of an earlier release. */
  readonly watched?: boolean;
  /** Reason, as a sentence. */
  readonly why: string;
  /** Number of refused starts. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Its rollout has been aborted. */
  readonly told: boolean;
}

export interface WaveNote {
  readonly at: number;
  readonly what: string;
  /** The operator, for a command. */
  readonly by?: string;
}

export interface Wave {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** How the tiers were selected, for display: `--label app=mobile`. */
  readonly selection: string;
  /** Maximum number of concurrent rollouts. */
  readonly concurrent: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: WaveStatus;
  /** Reason for the current status, as a sentence. */
  readonly why: string;
  /** In release order. */
  readonly members: readonly Member[];
  readonly notes: readonly WaveNote[];
}

/** What a wave needs of a tier's rollout. */
export interface RolloutSummary {
  readonly id: string;
  /** `promoted` from the watch on: the wave continues then. */
  readonly status: RolloutStatus;
  readonly watched: boolean;
  /** It is paused, or its step holds until a person promotes it. */
  readonly waits: boolean;
  /** In per cent. */
  readonly share: number;
  readonly why: string;
}

export const isWaveOver = ({ status }: Pick<Wave, "status">): boolean =>
  status === "promoted" || status === "failed" || status === "aborted";

/** Whether its rollout is running or about to start. */
export const isActive = ({ place }: Pick<Member, "place">): boolean => place === "starting" || place === "under-way";

/** Whether it only waits for the watches of its tiers: another wave may start. */
export const isOnlyWatching = (it: Pick<Wave, "status" | "members">): boolean =>
  it.status === "running" &&
  it.members.every(({ place }) => place === "promoted" || place === "passed-over") &&
  it.members.some(({ watched }) => watched === true);

/** Members at one of these places. */
export const membersAt = ({ members }: Pick<Wave, "members">, ...places: readonly MemberPlace[]): readonly Member[] =>
  members.filter(({ place }) => places.includes(place));
