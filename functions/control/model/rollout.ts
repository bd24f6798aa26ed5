/** A rollout as it is kept: plain JSON. */

import type { Query, ReleaseCriteria } from "./criteria.ts";
import type { Verdict } from "./finding.ts";
import type { TierFacts } from "./plan.ts";
import type { SmokeRequest } from "./release-config.ts";

/** A Worker of the tier, or its route that is cut over: the version that all users had, and the one that is tried. */
export interface Subject {
  readonly worker: string;
  readonly stable: string;
  readonly canary: string;
}

/** A subject before its rollout, as people are shown it. */
export interface Candidate extends Subject {
  /** Of the new version: the digest of what was built, and what was said when it was uploaded. Null where the platform knows none. */
  readonly tag: string | null;
  readonly message: string | null;
}

export interface RolloutStep {
  /** Of users, in per cent; 0 is a smoke test. */
  readonly share: number;
  readonly bakeMs: number;
  /** Waits for a person before the next. */
  readonly hold: boolean;
}

/** `paused` waits for a person. The three last are ends; `left` lets stand what someone else deployed. */
export type RolloutStatus = "running" | "paused" | "returning" | "rolled-back" | "promoted" | "left";

/** The split that was decided. It is written down before it is made, and its `seq` goes along with it. */
export interface SplitGoal {
  readonly seq: number;
  /** Of the canary, in per cent; -1 is the stable version alone. */
  readonly share: number;
  /** Workers that have it. */
  readonly done: readonly string[];
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
}

/** A time in which the split stood still. */
export interface Stretch {
  readonly share: number;
  readonly since: number;
  readonly until: number | null;
}

export interface RolloutNote {
  readonly at: number;
  readonly what: string;
  /** Of a person. */
  readonly by?: string;
}

export interface Rollout {
  readonly id: string;
  /** `wallet`, or `wallet/balance` for a route that is cut over. */
  readonly tier: string;
  readonly subjects: readonly Subject[];
  readonly steps: readonly RolloutStep[];
  /** As its manifest said when it began. */
  readonly tolerate: ReleaseCriteria["tolerate"];
  /** Absent where the rollout is older than such criteria. */
  readonly limits?: ReleaseCriteria["limits"];
  readonly queries?: Readonly<Record<string, Query>> | undefined;
  readonly smoke: readonly SmokeRequest[];
  readonly by: string;
  readonly reason: string;
  /** The wave's that began it. */
  readonly wave?: string;
  /** That the version was built from, where who started it knew. */
  readonly commit?: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: RolloutStatus;
  /** Of `steps`. */
  readonly step: number;
  readonly goal: SplitGoal;
  /** Paused since someone else deployed. */
  readonly foreign: boolean;
  /** The step's smoke test has passed. */
  readonly smoked: boolean;
  /** The newest deployment of each Worker that is ours, or that stood when we began. */
  readonly known: Readonly<Record<string, string>>;
  readonly stretches: readonly Stretch[];
  /** The last one, with what it rests on. */
  readonly verdict: Verdict | null;
  /** Why it stands where it stands, as a sentence. */
  readonly why: string;
  /** How long an open verdict is waited for after the bake. */
  readonly patienceMs: number;
  /** In which time streams of the new version end when it was taken back. Absent where the rollout is older than that. */
  readonly drainMs?: number | undefined;
  readonly notes: readonly RolloutNote[];
}

/** What a rollout begins with. */
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
  /** The wave's that begins it. It finds what it began before, whose answer was lost. */
  readonly wave?: string;
  readonly commit?: string | null;
  /** What was approved: other versions are refused. */
  readonly approved?: readonly Subject[] | undefined;
}

/** How the platform tells of a deployment. */
export interface Deployment {
  readonly id: string;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
  /** The one to come back to, where the platform knows; by default the one that has more. */
  readonly stable?: string;
  readonly message: string | null;
  readonly author: string | null;
  /** `secret` where an edit of a secret made it. */
  readonly trigger: string | null;
}

export const isOver = ({ status }: Pick<Rollout, "status">): boolean =>
  status === "rolled-back" || status === "promoted" || status === "left";

/** Whether there is something to look at. */
export const isRunning = (it: Rollout | undefined): it is Rollout =>
  it !== undefined && !isOver(it) && it.status !== "paused";

/** What goes with a split, so that after a crash the platform can say whether it was made. */
export const keyOf = ({ id, goal }: Pick<Rollout, "id" | "goal">): string => `postern ${id}/${goal.seq}`;

export const messageOf = (it: Rollout): string => `${keyOf(it)}: ${it.goal.share < 0 ? "back" : `${it.goal.share} %`}`;

/** What a Worker is given: the stable version alone, both, or the canary alone. */
export const splitOf = ({ stable, canary }: Subject, share: number): Deployment["versions"] => {
  if (share < 0) return [{ version_id: stable, percentage: 100 }];
  if (share >= 100) return [{ version_id: canary, percentage: 100 }];
  return [
    { version_id: stable, percentage: 100 - share },
    { version_id: canary, percentage: share },
  ];
};
