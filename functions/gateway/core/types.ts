/** The core types of a gate: what processes a request, and what travels with it. */
import type { RequestUrl } from "../http/request-url.ts";
import type { ConcurrencySlot } from "./concurrency.ts";
import type { StoreLimiter } from "./ports/limits.ts";
import type { RevocationSet } from "./ports/revocations.ts";
import type { State } from "./ports/state.ts";
import type { Validators } from "./ports/validators.ts";

/** Turns a request into a response. Upstreams, pipelines and whole gateways have this shape. */
export type Handler = (request: Request, context: Context) => Promise<Response>;

/**
 * Refuses a request with a response, or lets it pass. Synchronous when possible, since awaiting costs more than most
 * guards.
 */
export interface Guard {
  (request: Request, context: Context): Response | undefined | Promise<Response | undefined>;
  /** How the guard completes the gate's own responses. */
  readonly localReply?: LocalReply;
}

/**
 * Completes local replies: responses of the gate itself, including those given before the guard's turn or without a
 * route.
 */
export interface LocalReply {
  /** Edits the headers of the reply. */
  readonly complete: (request: Request, context: Context, headers: Headers) => void;
  /** Whether a preflight for a missing route is granted, so that the page can read the problem. */
  readonly grantsPreflight: (request: Request, context: Context) => boolean;
}

/** Wraps the next handler and may call it zero, one or many times (deadline, cache, retry, mirror). */
export type Layer = (next: Handler) => Handler;

/** Dependencies on the outside world. Tests pass fakes. Filters use no global fetch, clock, timer or random. */
export interface Deps {
  /** Bindings and secrets of this Worker, by name. */
  readonly env: Readonly<Record<string, unknown>>;
  /** The version of the gate, by which releases are measured. */
  readonly version: string;
  /** Bypasses the platform's cache. */
  readonly fetch: (request: Request | string, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. Stands still during CPU work at the edge. */
  readonly now: () => number;
  /** In [0, 1). Not for secrets. */
  readonly random: () => number;
  readonly uuid: () => string;
  /** Resolves after `ms`. Rejects with the signal's reason when it aborts first. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /**
   * Runs the work after `ms` unless the returned function cancels it. Cheaper than `sleep` when most timers are
   * cancelled.
   */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Runs work after the response, without anyone waiting for it. */
  readonly defer: (work: () => Promise<unknown>) => void;
  /** Writes one structured log line. */
  readonly log: (line: object) => void;
  /** The platform's cache, shared by the isolates of one location. */
  readonly cache: Pick<Cache, "match" | "put">;
  /** Records a request's outcome. Set only when a control plane is configured. */
  readonly recordRequest?: RecordRequest | undefined;
  /** Counts streams that the gate ended. Set only when a control plane is configured. */
  readonly recordStreamEnd?: RecordStreamEnd | undefined;
  /** Counts responses whose body failed. Set only when a control plane is configured. */
  readonly recordBodyFailure?: RecordBodyFailure | undefined;
  /** Whether bodies of responses are measured now, for a rollout. Set only when there is a feed. */
  readonly measuresBodies?: (() => boolean) | undefined;
  /**
   * The time by which streams of this version must end, in milliseconds since the epoch; undefined when the version
   * is not draining. Set only when there is a feed.
   */
  readonly drainEnd?: (() => Promise<number | undefined>) | undefined;
  /** Counters and nonces shared by all isolates. Set only when a part of the tier needs them. */
  readonly state?: State | undefined;
  /** Counts limits in stores. Set only when a filter of the tier needs it. */
  readonly limiter?: StoreLimiter | undefined;
  /** Checks compiled from schemas. Set only when a filter of the tier needs them. */
  readonly validators?: Validators | undefined;
  /** Revoked tokens. Set only when there is a feed. */
  readonly revoked?: (() => RevocationSet) | undefined;
}

/** @param response undefined when the client disconnected first */
export type RecordRequest = (
  request: Request,
  response: Response | undefined,
  status: number,
  context: Context,
  started: number,
) => void;

/**
 * Why the gate ended a stream: it reached the maximum age, its version was rolled back, or it carried as much as a
 * WebSocket may.
 */
export type StreamEnd = "aged" | "drained" | "full";

/** Server-Sent Events, a body of any other kind, or a WebSocket. */
export type StreamKind = "events" | "body" | "websocket";

/** How the body of a service's response failed after its headers: it broke off, or nothing came for too long. */
export type BodyFailure = "cut" | "stalled";

/** @param status of the response */
export type RecordBodyFailure = (context: Context, how: BodyFailure, status: number) => void;

export type RecordStreamEnd = (route: string, how: StreamEnd, kind: StreamKind) => void;

/**
 * A typed value that one filter records and another reads: Consumer, Claims, BodyLimit … The label is shown in
 * traces.
 */
export interface Fact<T> {
  readonly label: string;
  readonly _type?: T;
}

/** A header edit. Filters record edits, which are applied once when the message is copied. */
export type HeaderEdit =
  | readonly [op: "set" | "append", name: string, value: string]
  /** Adds a value to a list header, such as Vary, unless it is present. */
  | readonly [op: "merge", name: string, value: string]
  | readonly [op: "delete", name: string];

/** The caller, as far as the entrypoint can trust it. */
export interface Caller {
  readonly requestId: string;
  /** W3C trace context: `00-<trace>-<span>-<flags>`. */
  readonly traceparent: string;
  /** The caller's span, the parent of ours: 16 hexadecimal digits. */
  readonly parentSpan?: string | undefined;
  /** `CF-Connecting-IP`; null for a call from another Worker. */
  readonly ip: string | null;
  /** The client's gray key; null when it sent none. Trusted for stickiness only. */
  readonly grayKey: string | null;
  /** A tester reaches a version before users do, and is not counted. */
  readonly tester?: boolean;
  /**
   * Behind a front: names of headers that must not reach the service. The front has removed spoofable headers, so
   * only its own remain.
   */
  readonly gateOnlyHeaders?: readonly string[];
  /** The version of the front that the request came through, if the platform chose it. Measures releases of the front. */
  readonly frontVersion?: string | undefined;
  /** Set when the request is explained. */
  readonly trace?: Trace;
}

/** The decision of a filter, or a call of an upstream, in an explained request. */
export interface Decision {
  /** The filter's id; `to:accounts` for an upstream. */
  readonly id: string;
  readonly verdict: "passed" | "refused" | "answered" | "failed" | "skipped" | "shadowed" | "entered" | "asked";
  /** The problem code; `when` or `percent` for a skipped filter; the would-be decision for a shadowed one. */
  readonly code?: string | undefined;
  ms: number;
}

/** Collected while an explained request runs. */
export interface Trace {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly decisions: Decision[];
  /** The matched route; empty when there is none. */
  route: string;
  /** Detail that a guard's wrappers add to its decision. */
  note?: Pick<Decision, "verdict" | "code"> | undefined;
}

/** Which gateway serves a request of a route in cutover: the previous one or this one. */
export type CutoverSide = "legacy" | "gate";

/** A request's outcome, as the access log reports it. */
export interface Outcome {
  /**
   * `answered`: by a guard without refusing, such as a preflight. `left`: the client disconnected before the
   * response.
   */
  verdict: "passed" | "answered" | "refused" | "failed" | "left";
  /** The filter that answered or refused, or the upstream that failed. */
  by?: string;
  /** The problem code. */
  code?: string;
  /** The upstream that was called last. */
  upstream?: string;
  upstreamMs?: number;
  /** Set for routes in cutover. */
  side?: CutoverSide;
  /** Ids of filters that were degraded: a store was unavailable, a copy was not sent. */
  degraded?: string[];
  /** Decisions of shadowed guards by filter id: the problem code, or `pass`. */
  shadow?: Record<string, string>;
}

/** Settings of a tier that apply to every request. Created when the gate is linked. */
export interface GateSettings {
  readonly now: Deps["now"];
  /** The longest pause of a client while the gate waits for its body. */
  readonly bodyIdleMs: number;
  /** Spoofable headers that are forwarded from clients. */
  readonly accepted: ReadonlySet<string>;
}

/** The context of one request. Layers derive copies with another signal; facts, edits and outcome are shared. */
export interface Context {
  readonly caller: Caller;
  /** When the gate received the request, in milliseconds since the epoch. */
  readonly started: number;
  /** The URL of the client's request, without a token that a filter has removed from the query. */
  url: RequestUrl;
  readonly route: { readonly tier: string; readonly name: string };
  /** Captures of the path, percent-encoded as received. */
  readonly captures: Readonly<Record<string, string>>;
  /** Aborts when a deadline passes. A client that disconnects cancels the whole request without it. */
  readonly signal: AbortSignal | undefined;
  readonly facts: Map<Fact<unknown>, unknown>;
  /** Undefined outside of a gate. */
  readonly settings?: GateSettings | undefined;
  /** The request's concurrency slot; undefined when it was refused. */
  readonly slot?: ConcurrencySlot | undefined;
  /** Header edits of the request to the upstream. */
  readonly outbound: HeaderEdit[];
  /** Header edits of the response to the client. */
  readonly inbound: HeaderEdit[];
  readonly outcome: Outcome;
}

/** Identifies one configured filter, so that its counts are separate. */
export interface FilterInstance {
  readonly tier: string;
  /** `rate-limit`, or `transfer/rate-limit` when a route adds it. */
  readonly id: string;
  /** Rates that an overlay adds to the filter's own; each has to allow a request. */
  readonly limits?: readonly string[] | undefined;
}
