/** The evidence of a rollout as the admin API gives it: what was decided, by which figures, and when. It names no client. */
import type { Verdict } from "../model/finding.ts";
import type { Rollout, RolloutDecision, Subject } from "../model/rollout.ts";
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
  /** As the manifest had them at the start. */
  readonly criteria: Pick<Rollout, "tolerate" | "limits" | "queries">;
  /** The last verdict. */
  readonly verdict: Verdict | null;
  /** The newest decisions, each with the verdict at its time. */
  readonly decisions: readonly (Omit<RolloutDecision, "at"> & { readonly at: string })[];
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
  criteria: {
    tolerate: it.tolerate,
    ...(it.limits && { limits: it.limits }),
    ...(it.queries && { queries: it.queries }),
  },
  verdict: it.verdict,
  decisions: (it.decisions ?? []).map((decision) => ({ ...decision, at: iso(decision.at) })),
  stretches: it.stretches.map(({ share, since, until }) => ({
    share,
    since: iso(since),
    until: until === null ? null : iso(until),
  })),
  notes: it.notes.map(({ at, what, by = null }) => ({ at: iso(at), what, by })),
});

const iso = (at: number): string => new Date(at).toISOString();
