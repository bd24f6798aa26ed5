/** What a release tolerates, as numbers. */
import { increase, milliseconds, share } from "../../gateway/core/quantities.ts";

export interface Criteria {
  /** Effects that must be excluded: differences of shares, for `p99` of the ratio from one. */
  readonly tolerate: {
    readonly errors: number;
    readonly refusals: number;
    readonly upstreamErrors: number;
    readonly abandoned: number;
    readonly p99: number;
    /** A canary that reports less than one minus this of its share is failing. */
    readonly sampleRatio: number;
  };
  /** The probability with which a release that changes nothing may be rolled back, in all its looks together. */
  readonly alpha: number;
  /** The probability with which one passes whose effect is as large as tolerated. The next step would still find it. */
  readonly beta: number;
  /** Of the canary, before anything passes. A failure needs none: its evidence speaks for itself. */
  readonly minRequests: number;
  /** Milliseconds until a new split has reached all of the platform, and its first reports have come in: until then silence tells nothing. */
  readonly settleMs: number;
  /** What the canary may never exceed, whatever stable does: shares of requests, and milliseconds. */
  readonly limits?: {
    readonly errors?: number;
    readonly refusals?: number;
    readonly abandoned?: number;
    readonly p99?: number;
  };
}

/** The `release` of a manifest, as its plan keeps it. */
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

/** An own criterion. */
export interface Query {
  /** PromQL, in which `{{tier}}`, `{{canary}}` and `{{stable}}` stand for what they say. */
  readonly query: string;
  readonly max?: number | undefined;
  readonly min?: number | undefined;
  /** The least time between two questions, as a manifest writes it. */
  readonly every: string;
}

/** @throws TypeError on text that the schema would refuse */
export const criteriaOf = ({ tolerate: { errors, p99, refusals }, limits }: ReleaseCriteria): Criteria => ({
  // Failures of the upstream and clients that give up are errors too, told apart only to say where they come from.
  tolerate: {
    errors: increase(errors),
    upstreamErrors: increase(errors),
    abandoned: increase(errors),
    refusals: increase(refusals),
    p99: increase(p99),
    sampleRatio: 0.5,
  },
  alpha: 0.005,
  beta: 0.05,
  minRequests: 500,
  settleMs: 30_000,
  limits: limitsIn(limits ?? {}),
});

/** As with what is tolerated, clients that give up are errors of their own. */
const limitsIn = ({ errors, refusals, p99 }: LimitsConfig): NonNullable<Criteria["limits"]> => ({
  ...(errors !== undefined && { errors: share(errors), abandoned: share(errors) }),
  ...(refusals !== undefined && { refusals: share(refusals) }),
  ...(p99 !== undefined && { p99: milliseconds(p99) }),
});
