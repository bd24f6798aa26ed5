/** What the runner asks of the Worker that tries cases, and what it hears: plain JSON. */
import type { FrontPlan, Plan } from "../../../functions/gateway/core/plan.ts";
import type { Decision } from "../../../functions/gateway/core/types.ts";
import type { KeyPair } from "../../../functions/gateway/hooks/credentials.ts";

/** One tier as it is compiled, and the cases to try on it. */
export interface Batch {
  readonly tier: string;
  /** What its gates serve, by the front's bindings to them. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Null for a tier that its zone enters straight. */
  readonly front: FrontPlan | null;
  /** Values of secrets, made for this run. */
  readonly secrets: Readonly<Record<string, string>>;
  /** KV namespaces by binding, with what is in them. */
  readonly stores: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Service bindings of upstreams, by the upstream's name. */
  readonly services: Readonly<Record<string, string>>;
  /** Kinds of filters that send copies to a service of their own. */
  readonly copyingFilters: readonly string[];
  /** The body of a function that returns the checks of filters that validate; null where there is none. */
  readonly checks: string | null;
  /** Keys of the issuers, by algorithm. */
  readonly issuers: Readonly<Record<string, KeyPair>>;
  /** What is told of values that were made for this run, in their place: `secret:PAY_KEY`. */
  readonly redactions: Readonly<Record<string, string>>;
  readonly conversations: readonly Conversation[];
}

/** A case, with a world of its own: nothing that one does is seen by another. */
export interface Conversation {
  /** When it begins; milliseconds since the epoch. */
  readonly at: number;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly afterMs: number;
  readonly down: readonly string[];
  readonly sends: readonly Send[];
  /** What an upstream answers, call by call; the last one goes on. */
  readonly replies: Readonly<Record<string, readonly Reply[]>>;
}

export interface Send {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** How the body comes: with its length, without it, broken off in the middle, or with an end that never comes. */
  readonly stream: "whole" | "unannounced" | "broken" | "stalled";
  readonly ip: string;
  readonly credentials: readonly Credential[];
  readonly repeat: number;
  readonly everyMs: number;
  /** How many come at once. */
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

/** What came of a case: for each step, for each thing that it sends. */
export type CaseResults = readonly (readonly SendResult[])[];

export interface SendResult {
  /** Answers that differ in status, code or who gave them: each once, with how many there were. */
  readonly answers: readonly ObservedResponse[];
  /** What upstreams saw: the first of them, and how many calls there were. */
  readonly seen: readonly UpstreamCall[];
  readonly calls: Readonly<Record<string, number>>;
  /** What was tried of the plan: `route`, `filter`, `refusal` … */
  readonly tried: readonly string[];
  /** What the gate wrote of its own failures. */
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

/** The mark of something that has been tried, the same on both sides. */
export const coverageMark = (...parts: readonly string[]): string => parts.join(" ");
