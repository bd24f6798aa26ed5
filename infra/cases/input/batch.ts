/** The JSON that the test runner sends to the case Worker, and the results that it gets back. */
import type { FrontPlan, Plan } from "../../../functions/gateway/core/plan.ts";
import type { Decision } from "../../../functions/gateway/core/types.ts";
import type { KeyPair } from "../../../functions/gateway/hooks/credentials.ts";

/** One compiled tier, with the cases to run on it. */
export interface Batch {
  readonly tier: string;
  /** Plans of its gates, by the front's bindings to them. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Null for a tier with `entry: zone`. */
  readonly front: FrontPlan | null;
  /** Random secret values of this run. */
  readonly secrets: Readonly<Record<string, string>>;
  /** KV namespaces by binding, with their entries. */
  readonly stores: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Service bindings of upstreams, by upstream name. */
  readonly services: Readonly<Record<string, string>>;
  /** Kinds of filters that mirror requests to another service. */
  readonly copyingFilters: readonly string[];
  /** Script that returns the tier's validation; null if there is none. */
  readonly checks: string | null;
  /** Key pairs of token issuers, by algorithm. */
  readonly issuers: Readonly<Record<string, KeyPair>>;
  /** Placeholders for random values of this run in results: `secret:PAY_KEY`. */
  readonly redactions: Readonly<Record<string, string>>;
  readonly conversations: readonly Conversation[];
}

/** What the laws say of one of the project's own parts. */
export interface PartLaws {
  readonly kind: "filter" | "upstream";
  readonly name: string;
  /** How many there are. */
  readonly laws: number;
  readonly failures: readonly LawFailure[];
}

export interface LawFailure {
  /** "refuses unknown keys" */
  readonly law: string;
  readonly message: string;
}

/** One case. Cases are isolated from each other. */
export interface Conversation {
  /** Start time in milliseconds since the epoch. */
  readonly at: number;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly afterMs: number;
  readonly down: readonly string[];
  readonly sends: readonly Send[];
  /** Replies of each upstream, call by call; the last one repeats. */
  readonly replies: Readonly<Record<string, readonly Reply[]>>;
}

export interface Send {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** How the body is sent: with its length, chunked, aborted halfway, or never ending. */
  readonly stream: "whole" | "unannounced" | "broken" | "stalled";
  readonly ip: string;
  readonly credentials: readonly Credential[];
  readonly repeat: number;
  readonly everyMs: number;
  /** Requests sent at once. */
  readonly burst: number;
}

/** Written into the request when it is sent, by the clock of the case. */
export interface Credential {
  /** The filter that it is for. */
  readonly use: string;
  /** As the filter's spec has issued it. */
  readonly value: unknown;
}

export type Reply =
  | { readonly unreachable: true }
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | null;
      readonly afterMs: number;
    };

/** The results of a case: for each step, for each send. */
export type CaseResults = readonly (readonly SendResult[])[];

export interface SendResult {
  /** Distinct responses by status, code, origin and route, with their counts. */
  readonly answers: readonly ObservedResponse[];
  /** The first requests that upstreams received; `calls` counts all. */
  readonly seen: readonly UpstreamCall[];
  readonly calls: Readonly<Record<string, number>>;
  /** Coverage marks: `route`, `filter`, `refusal` … */
  readonly tried: readonly string[];
  /** Causes of faults from the gate's log. */
  readonly causes: readonly string[];
}

export interface ObservedResponse {
  readonly times: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly route: string;
  readonly code: string | null;
  readonly by: string | null;
  readonly decisions: readonly Decision[];
}

export interface UpstreamCall {
  readonly upstream: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A coverage mark, built the same way in the runner and in the Worker. */
export const coverageMark = (...parts: readonly string[]): string => parts.join(" ");
