/** The evidence of a rollout as the admin API gives it: what was decided, by which figures, and when. It names no client. */
import type { Verdict } from "../model/finding.ts";
import type { Attempt, EarlierAttempt, Rollout, RolloutDecision, Subject } from "../model/rollout.ts";
import { type RolloutState, shareOf, stateOf, stateSince } from "../model/rollout-state.ts";

/** Times are ISO 8601 in UTC, shares per cent. */
export interface RolloutReport {
  readonly environment: string;
  readonly tier: string;
  readonly rollout: string;
  /** The address of this report. */
  readonly url: string;
  readonly state: RolloutState;
  readonly stateSince: string;
  readonly why: string;
  readonly share: number;
  readonly steps: Rollout["steps"];
  readonly versions: readonly Subject[];
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly reason: string;
  readonly commit: string | null;
  readonly wave: string | null;
  /** Which rollout of this version it is, and the earlier ones, newest first. Null for a cutover, which has no versions. */
  readonly attempt:
    | (Pick<Attempt, "number" | "budget"> & {
        readonly earlier: readonly (Pick<EarlierAttempt, "by" | "status" | "why"> & {
          readonly rollout: string;
          readonly startedAt: string;
          readonly endedAt: string | null;
        })[];
      })
    | null;
  /** As the manifest had them at the start. */
  readonly criteria: Pick<Rollout, "tolerate" | "limits" | "queries">;
  /** The last verdict. */
  readonly verdict: Verdict | null;
  /** The newest decisions, each with the verdict at its time. */
  readonly decisions: readonly (Omit<RolloutDecision, "at"> & { readonly at: string })[];
  /** Failures on which control did not act. */
  readonly alerts: readonly { readonly at: string; readonly why: string }[];
  readonly stretches: readonly { readonly share: number; readonly since: string; readonly until: string | null }[];
  readonly notes: readonly { readonly at: string; readonly what: string; readonly by: string | null }[];
}

export const reportOf = (it: Rollout, environment: string, url: string): RolloutReport => ({
  environment,
  tier: it.tier,
  rollout: it.id,
  url,
  state: stateOf(it),
  stateSince: iso(stateSince(it)),
  why: it.why,
  share: shareOf(it),
  steps: it.steps,
  versions: it.subjects.map(({ worker, stable, canary }) => ({ worker, stable, canary })),
  startedBy: it.by,
  startedAt: iso(it.startedAt),
  endedAt: it.endedAt === null ? null : iso(it.endedAt),
  reason: it.reason,
  commit: it.commit ?? null,
  wave: it.wave ?? null,
  attempt: it.attempt ? attemptOf(it.attempt) : null,
  criteria: {
    tolerate: it.tolerate,
    ...(it.limits && { limits: it.limits }),
    ...(it.queries && { queries: it.queries }),
  },
  verdict: it.verdict,
  decisions: (it.decisions ?? []).map((decision) => ({ ...decision, at: iso(decision.at) })),
  alerts: (it.alerts ?? []).map(({ at, why }) => ({ at: iso(at), why })),
  stretches: it.stretches.map(({ share, since, until }) => ({
    share,
    since: iso(since),
    until: until === null ? null : iso(until),
  })),
  notes: it.notes.map(({ at, what, by = null }) => ({ at: iso(at), what, by })),
});

const attemptOf = ({ number, budget, earlier }: Attempt): RolloutReport["attempt"] => ({
  number,
  budget,
  earlier: earlier.map(({ id, by, startedAt, endedAt, status, why }) => ({
    rollout: id,
    by,
    startedAt: iso(startedAt),
    endedAt: endedAt === null ? null : iso(endedAt),
    status,
    why,
  })),
});

const iso = (at: number): string => new Date(at).toISOString();
