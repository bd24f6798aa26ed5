/** The stored state of a rollout: plain JSON. */

import type { Query, ReleaseCriteria } from "./criteria.ts";
import type { Verdict } from "./finding.ts";
import type { TierFacts } from "./plan.ts";
import type { SmokeRequest } from "./release-config.ts";

/** A Worker of the tier, or a route's cutover: its stable version and the new one. */
export interface Subject {
  readonly worker: string;
  readonly stable: string;
  readonly canary: string;
}

/** A subject before its rollout, with details for display. */
export interface Candidate extends Subject {
  /** The new version's tag (digest of the build) and the message of its upload. Null if the platform has none. */
  readonly tag: string | null;
  readonly message: string | null;
  /** What became of the last rollout of this version, as a sentence; absent if it is the first. */
  readonly again?: string | undefined;
}

export interface RolloutStep {
  /** Share of users, in per cent; 0 is a smoke test. */
  readonly share: number;
  readonly bakeMs: number;
  /** Whether a person must promote before the next step. */
  readonly hold: boolean;
  /**
   * The watch after the promotion, for `bakeMs`: most or all users have the new version, and no evidence is needed to end
   * it. Absent in rollouts of an earlier release.
   */
  readonly watch?: true;
}

/** `paused` waits for a person. The last three are final; `left` keeps what someone else deployed. */
export type RolloutStatus = "running" | "paused" | "returning" | "rolled-back" | "promoted" | "left";

/** The decided split. It is stored before it is applied; its `seq` is part of the deployment's message. */
export interface SplitGoal {
  readonly seq: number;
  /** The canary's share, in per cent; -1 is the stable version alone. */
  readonly share: number;
  /** Workers with this split. */
  readonly done: readonly string[];
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
}

/** A period with an unchanged split. */
export interface Stretch {
  /** The smallest of the Workers' shares. */
  readonly share: number;
  /** The largest that a Worker had in it, if that is another one. Absent in rollouts of an earlier release. */
  readonly most?: number;
  readonly since: number;
  readonly until: number | null;
}

/** A failure that control reports and does not act on. */
export interface Alert {
  /** The finding that it is about; each one is reported once. */
  readonly key: string;
  readonly at: number;
  /** The finding, as a sentence. */
  readonly why: string;
  /** The finding holds, which proves nothing: clients can cause it themselves, or reports are missing. */
  readonly held?: true;
}

/** The users of these Workers are assigned to the two versions anew, by an epoch that is named by the rollout's id. */
export interface Assignment {
  readonly workers: readonly string[];
  /** From when on every front assigns them so, in milliseconds since the epoch; null until the epoch is published. */
  readonly from: number | null;
}

export interface RolloutNote {
  readonly at: number;
  readonly what: string;
  /** The operator, for a command. */
  readonly by?: string;
}

/** An earlier rollout of the same version. */
export interface EarlierAttempt {
  /** The rollout's id. */
  readonly id: string;
  readonly by: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: RolloutStatus;
  /** Why it ended. */
  readonly why: string;
}

export interface Attempt {
  /** 1 for the first rollout of this version. */
  readonly number: number;
  /** The part of alpha that this attempt may spend, in (0, 1]. */
  readonly budget: number;
  /** Newest first. */
  readonly earlier: readonly EarlierAttempt[];
}

/** A decision of control, with the verdict that caused it or was missing. */
export interface RolloutDecision {
  readonly at: number;
  readonly share: number;
  /** `step`: the next step. */
  readonly what: "step" | "paused" | "failed";
  readonly verdict: Verdict;
}

export interface Rollout {
  readonly id: string;
  /** `wallet`, or `wallet/balance` for a route's cutover. */
  readonly tier: string;
  readonly subjects: readonly Subject[];
  readonly steps: readonly RolloutStep[];
  /** Tolerances of the manifest when the rollout started. */
  readonly tolerate: ReleaseCriteria["tolerate"];
  /** Absent in rollouts of an earlier release. */
  readonly limits?: ReleaseCriteria["limits"];
  readonly queries?: Readonly<Record<string, Query>> | undefined;
  readonly smoke: readonly SmokeRequest[];
  readonly by: string;
  readonly reason: string;
  /** Id of the wave that started it. */
  readonly wave?: string;
  /** Which rollout of this version it is. Absent in rollouts of an earlier release, and for a cutover, which has no versions. */
  readonly attempt?: Attempt;
  /** The commit that the version was built from, if known at the start. */
  readonly commit?: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: RolloutStatus;
  /** Index in `steps`. */
  readonly step: number;
  readonly goal: SplitGoal;
  /** Absent if the users keep their places: no earlier rollout has divided them, or they are divided already. */
  readonly assignment?: Assignment;
  /** Paused because someone else deployed. */
  readonly foreign: boolean;
  /** The step's smoke test has passed. */
  readonly smoked: boolean;
  /** The newest known deployment of each Worker: this rollout's own, or the one at its start. */
  readonly known: Readonly<Record<string, string>>;
  readonly stretches: readonly Stretch[];
  /** The last verdict with its findings. */
  readonly verdict: Verdict | null;
  /** Since when each verdict has been a hold; null if the last one is not. Absent in rollouts of an earlier release. */
  readonly heldSince?: number | null;
  /** Since a person has last resumed it. Absent in rollouts of an earlier release. */
  readonly alerts?: readonly Alert[];
  /** When a person last resumed it: the evidence timeout starts again then. */
  readonly resumedAt?: number;
  /** The newest decisions. Absent before the first, and in rollouts of an earlier release. */
  readonly decisions?: readonly RolloutDecision[];
  /** Reason for the current status, as a sentence. */
  readonly why: string;
  /** Evidence timeout: how long to wait for a verdict after the bake. */
  readonly patienceMs: number;
  /** Time in which streams of the new version end after a rollback. Absent in rollouts of an earlier release. */
  readonly drainMs?: number | undefined;
  readonly notes: readonly RolloutNote[];
}

/** The request to start a rollout. */
export interface RolloutStart {
  readonly tier: string;
  readonly facts: Pick<TierFacts, "workers">;
  readonly steps: readonly RolloutStep[];
  readonly patienceMs: number;
  readonly drainMs?: Rollout["drainMs"];
  readonly tolerate: Rollout["tolerate"];
  readonly limits?: Rollout["limits"];
  readonly queries?: Rollout["queries"];
  readonly smoke: Rollout["smoke"];
  readonly by: string;
  readonly reason: string;
  /** Id of the wave that starts it. A repeated start returns the rollout that this wave has already started. */
  readonly wave?: string;
  readonly commit?: string | null;
  /** Also starts a version without a share, which came back from the last rollout. */
  readonly retry?: boolean | undefined;
  /** The approved versions; others are refused. */
  readonly approved?: readonly Subject[] | undefined;
}

/** A deployment on the platform. */
export interface Deployment {
  readonly id: string;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
  /** The version to roll back to, if the platform knows; default: the version with the larger share. */
  readonly stable?: string;
  readonly message: string | null;
  readonly author: string | null;
  /** `secret` if a changed secret caused the deployment. */
  readonly trigger: string | null;
}

export const isOver = ({ status }: Pick<Rollout, "status">): boolean =>
  status === "rolled-back" || status === "promoted" || status === "left";

/** Whether the controller has work to do. A paused rollout is monitored too. */
export const isUnderWay = (it: Rollout | undefined): it is Rollout => it !== undefined && !isOver(it);

/** Whether all Workers have the split that was decided last. */
export const isApplied = ({ goal, subjects }: Pick<Rollout, "goal" | "subjects">): boolean =>
  goal.done.length >= subjects.length;

/** Whether it is in the watch after its promotion: a new rollout of the tier may start. */
export const isWatched = (it: Pick<Rollout, "status" | "steps" | "step" | "goal" | "subjects">): boolean =>
  (it.status === "running" || it.status === "paused") && it.steps[it.step]?.watch === true && isApplied(it);

/** Key in a deployment's message. After a crash it shows on the platform whether the split was applied. */
export const keyOf = ({ id, goal }: Pick<Rollout, "id" | "goal">): string => `postern ${id}/${goal.seq}`;

export const messageOf = (it: Rollout): string => `${keyOf(it)}: ${it.goal.share < 0 ? "back" : `${it.goal.share} %`}`;

/** The versions of a split: the stable version alone, both, or the canary alone. */
export const splitOf = ({ stable, canary }: Subject, share: number): Deployment["versions"] => {
  if (share < 0) return [{ version_id: stable, percentage: 100 }];
  if (share >= 100) return [{ version_id: canary, percentage: 100 }];
  return [
    { version_id: stable, percentage: 100 - share },
    { version_id: canary, percentage: share },
  ];
};
