/** A wave as it is kept: plain JSON. */
import type { TierLevel } from "../../gateway/core/plan.ts";
import type { ReleaseConfig } from "./release-config.ts";
import type { RolloutStatus, Subject } from "./rollout.ts";

/** What depends least on a tier comes first. A level begins when all of the one before are done. */
export const levels: readonly TierLevel[] = ["best-effort", "standard", "core"];

/**
 * `stopping`: one tier failed, no further one begins, those under way go on. The four last are ends; `failed` can be resumed
 * past what failed.
 */
export type WaveStatus = "running" | "paused" | "stopping" | "aborting" | "promoted" | "failed" | "aborted";

/**
 * `starting`: it was decided that its rollout begins, and this is written down before it does. `returning`: likewise, that it
 * is taken back. `passed-over`: it failed, and a person let the others go on.
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

/** A tier on its way. */
export interface Member {
  readonly tier: string;
  /** Others that the same Workers serve: they are released along with it. */
  readonly along: readonly string[];
  readonly level: TierLevel;
  readonly release: ReleaseConfig;
  /** Versions that a second person approved: its rollout begins with these or not at all. */
  readonly approved?: readonly Subject[];
  readonly place: MemberPlace;
  /** Its rollout's id. */
  readonly rollout: string | null;
  /** Of the new version, in per cent. */
  readonly share: number;
  /** Its rollout is paused, until a person says what. */
  readonly waits: boolean;
  /** As a sentence. */
  readonly why: string;
  /** Starts that were refused. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Its rollout was told to come back. */
  readonly told: boolean;
}

export interface WaveNote {
  readonly at: number;
  readonly what: string;
  /** Of a person. */
  readonly by?: string;
}

export interface Wave {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** How its tiers were chosen, for people: `--label app=mobile`. */
  readonly selection: string;
  /** Rollouts at once, at most. */
  readonly concurrent: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: WaveStatus;
  /** Why it stands where it stands, as a sentence. */
  readonly why: string;
  /** In the order in which they begin. */
  readonly members: readonly Member[];
  readonly notes: readonly WaveNote[];
}

/** What a wave has to know of a tier's rollout. */
export interface RolloutSummary {
  readonly id: string;
  readonly status: RolloutStatus;
  /** In per cent. */
  readonly share: number;
  readonly why: string;
}

export const isWaveOver = ({ status }: Pick<Wave, "status">): boolean =>
  status === "promoted" || status === "failed" || status === "aborted";

/** Its rollout goes forward, or is about to. */
export const isActive = ({ place }: Pick<Member, "place">): boolean => place === "starting" || place === "under-way";

/** Of the members that came this far. */
export const membersAt = ({ members }: Pick<Wave, "members">, ...places: readonly MemberPlace[]): readonly Member[] =>
  members.filter(({ place }) => places.includes(place));
