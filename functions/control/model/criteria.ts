/** The criteria of a release as numbers. */
import { increase, milliseconds, share } from "../../gateway/core/quantities.ts";

export interface Criteria {
  /** Effects that must be excluded: differences of shares; for `p99`, the ratio minus one. */
  readonly tolerate: {
    readonly errors: number;
    readonly refusals: number;
    readonly abandoned: number;
    readonly p99: number;
    /** A canary that reports less than (1 − this) of its expected requests fails. */
    readonly sampleRatio: number;
  };
  /** The probability that a release without any effect is rolled back, over all evaluations of this rollout together. */
  readonly alpha: number;
  /** The probability that a release with an effect as large as tolerated passes a step. The next step can still catch it. */
  readonly beta: number;
  /** Requests of the canary required to pass. A failure needs no minimum. */
  readonly minRequests: number;
  /** Milliseconds until a new split is effective everywhere and its first reports have arrived. Missing reports are no evidence before. */
  readonly settleMs: number;
  /** Absolute limits of the canary, regardless of stable: shares of requests, and milliseconds. */
  readonly limits?: {
    readonly errors?: number;
    readonly refusals?: number;
    readonly abandoned?: number;
    readonly p99?: number;
  };
}

/** Tolerances and limits of a manifest's `release`, as the plan stores them. */
export interface ReleaseCriteria {
  readonly tolerate: { readonly errors: string; readonly p99: string; readonly refusals: string };
  readonly limits?: LimitsConfig | undefined;
}

/** Shares as `1%`, a time as `800ms`. */
export interface LimitsConfig {
  readonly errors?: string | undefined;
  readonly refusals?: string | undefined;
  readonly p99?: string | undefined;
}

/** A criterion that the team defines itself, as a Prometheus query. */
export interface Query {
  /** PromQL, in which `{{tier}}`, `{{canary}}` and `{{stable}}` are replaced. */
  readonly query: string;
  readonly max?: number | undefined;
  readonly min?: number | undefined;
  /** The shortest interval between two evaluations, as written in a manifest. */
  readonly every: string;
}

/** The probability of a false failure, for all rollouts of one version together. */
const alpha = 0.001;

/**
 * @param attempt the part of alpha that this rollout may spend; absent in rollouts of an earlier release, which may spend all
 * @throws TypeError for text that the schema rejects
 */
export const criteriaOf = ({
  tolerate: { errors, p99, refusals },
  limits,
  attempt,
}: ReleaseCriteria & { readonly attempt?: { readonly budget: number } }): Criteria => ({
  // Abandoned requests are errors too; they are counted separately to show the source.
  tolerate: {
    errors: increase(errors),
    abandoned: increase(errors),
    refusals: increase(refusals),
    p99: increase(p99),
    sampleRatio: 0.5,
  },
  alpha: alpha * (attempt?.budget ?? 1),
  beta: 0.05,
  minRequests: 500,
  settleMs: 30_000,
  limits: limitsIn(limits ?? {}),
});

/** Abandoned requests have the limit of errors, counted separately. */
const limitsIn = ({ errors, refusals, p99 }: LimitsConfig): NonNullable<Criteria["limits"]> => ({
  ...(errors !== undefined && { errors: share(errors), abandoned: share(errors) }),
  ...(refusals !== undefined && { refusals: share(refusals) }),
  ...(p99 !== undefined && { p99: milliseconds(p99) }),
});
