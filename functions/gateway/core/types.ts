/** The whole vocabulary of a gate: what a request passes through, and what travels with it. */
import type { RequestUrl } from "../http/request-url.ts";
import type { ConcurrencySlot } from "./concurrency.ts";
import type { StoreLimiter } from "./ports/limits.ts";
import type { RevocationSet } from "./ports/revocations.ts";
import type { State } from "./ports/state.ts";
import type { Validators } from "./ports/validators.ts";

/** One request in, one response out: an upstream, a pipeline and a whole gateway all have this shape. */
export type Handler = (request: Request, context: Context) => Promise<Response>;

/** Decides: refuse with a Response, or let pass. Synchronous when it can be, since awaiting ten of them costs more than they do. */
export interface Guard {
  (request: Request, context: Context): Response | undefined | Promise<Response | undefined>;
  /** What it has to say of answers that the gate gives by itself. */
  readonly localReply?: LocalReply;
}

/** Completes local replies: answers of the gate itself, also those that were given before the guard's turn, or without a route. */
export interface LocalReply {
  /** Edits the headers of the reply. */
  readonly complete: (request: Request, context: Context, headers: Headers) => void;
  /** Whether a preflight about a route that does not exist is granted, so that the page can read what its request is answered. */
  readonly grantsPreflight: (request: Request, context: Context) => boolean;
}

/** Wraps: may call `next` zero, one or many times (deadline, cache, retry, mirror). */
export type Layer = (next: Handler) => Handler;

/** The outside world, passed in; tests pass fakes. Filters touch no global fetch, clock, timer or random. */
export interface Deps {
  /** Bindings and secrets of this Worker, by name. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Which version of the gate this is: what a release is measured by. */
  readonly version: string;
  /** Past the platform's cache. */
  readonly fetch: (request: Request | string, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. Stands still during CPU work at the edge. */
  readonly now: () => number;
  /** In [0, 1). Not for secrets. */
  readonly random: () => number;
  readonly uuid: () => string;
  /** Resolves after `ms`; rejects with the signal's reason when that comes first. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Does the work after `ms`, unless what it returns is called before. Cheaper than sleep where most is called off. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Work that goes on when the response is out, and that nobody waits for. */
  readonly defer: (work: () => Promise<unknown>) => void;
  /** One structured line. */
  readonly log: (line: object) => void;
  /** What the platform keeps for all isolates of one location, for a while. */
  readonly cache: Pick<Cache, "match" | "put">;
  /** Counts what a request came to; there where somebody wants to know. */
  readonly recordRequest?: RecordRequest | undefined;
  /** Counts streams that the gate ended; there where somebody wants to know. */
  readonly recordStreamEnd?: ((route: string, how: StreamEnd) => void) | undefined;
  /** When streams of this version have ended, in milliseconds since the epoch; undefined while they go on. There where somebody can tell. */
  readonly drainEnd?: (() => Promise<number | undefined>) | undefined;
  /** Counts and nonces that all isolates share; there where a part of the tier asks for it. */
  readonly state?: State | undefined;
  /** Counts limits in stores; there where a filter of the tier asks for it. */
  readonly limiter?: StoreLimiter | undefined;
  /** Checks of requests, compiled from schemas; there where a filter of the tier asks for them. */
  readonly validators?: Validators | undefined;
  /** Tokens that were taken back; there where a feed tells of them. */
  readonly revoked?: (() => RevocationSet) | undefined;
}

/** @param response undefined where the client left before there was one */
export type RecordRequest = (
  request: Request,
  response: Response | undefined,
  status: number,
  context: Context,
  started: number,
) => void;

/** Why the gate ended a stream: it was as old as its tier allows, or its version was taken back. */
export type StreamEnd = "aged" | "drained";

/** What one filter learns and another needs: Consumer, Claims, BodyLimit … The label shows in traces. */
export interface Fact<T> {
  readonly label: string;
  readonly _type?: T;
}

/** An edit of headers, recorded by a filter and applied once, when the message is copied anyway. */
export type HeaderEdit =
  | readonly [op: "set" | "append", name: string, value: string]
  /** Adds one value to a list that does not have it yet, such as Vary. */
  | readonly [op: "merge", name: string, value: string]
  | readonly [op: "delete", name: string];

/** Who is asking, as far as the entrypoint may believe it. */
export interface Caller {
  readonly requestId: string;
  /** W3C trace context: `00-<trace>-<span>-<flags>`. */
  readonly traceparent: string;
  /** The span that the caller's own trace has as ours' parent: 16 hexadecimal digits. */
  readonly parentSpan?: string | undefined;
  /** `CF-Connecting-IP`, or null where there is none (a call from another Worker). */
  readonly ip: string | null;
  /** What the client brought to stay with one version or one side of a share; null where it brought none. Trusted for stickiness, for nothing else. */
  readonly grayKey: string | null;
  /** Meets a version before its users do, and is counted with none of them. */
  readonly tester?: boolean;
  /**
   * Behind a front: the names of headers that go no further than the gate. It has taken out what no stranger may say, so
   * that only its own words are left.
   */
  readonly gateOnlyHeaders?: readonly string[];
  /** There where the request is to be explained. */
  readonly trace?: Trace;
}

/** What one filter decided, or which upstream was asked, of a request that is to be explained. */
export interface Decision {
  /** Of the filter; of an upstream `to:accounts`. */
  readonly id: string;
  readonly verdict: "passed" | "refused" | "answered" | "failed" | "skipped" | "shadowed" | "entered" | "asked";
  /** The problem's code; of a skipped filter `when` or `percent`, of a shadowed one what it would have decided. */
  readonly code?: string | undefined;
  ms: number;
}

/** Gathered while an explained request runs; others carry none. */
export interface Trace {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly decisions: Decision[];
  /** The route that was found; empty where there is none. */
  route: string;
  /** What a guard's wrappers say of its verdict. */
  note?: Pick<Decision, "verdict" | "code"> | undefined;
}

/** Of a route that is cut over: the gateway that served it before, or this one. */
export type CutoverSide = "legacy" | "gate";

/** How a request fared: what the access log says. */
export interface Outcome {
  /** `answered`: by a guard that refuses nothing, such as a preflight's. `left`: the client did, before there was an answer. */
  verdict: "passed" | "answered" | "refused" | "failed" | "left";
  /** The filter that answered or refused, or the upstream that failed. */
  by?: string;
  /** The problem's code. */
  code?: string;
  /** The upstream that was asked last. */
  upstream?: string;
  upstreamMs?: number;
  /** Of a route that is cut over. */
  side?: CutoverSide;
  /** Ids of filters that could not do their work: a store was not to be had, a copy was not made. */
  degraded?: string[];
  /** Decisions of shadowed guards, by filter id: the code that would have been answered, or `pass`. */
  shadow?: Record<string, string>;
}

/** What holds for every request of a tier. Made when the gate is linked. */
export interface GateSettings {
  readonly now: Deps["now"];
  /** The longest that a client may send nothing while its body is awaited. */
  readonly bodyIdleMs: number;
  /** Spoofable headers that services are sent as clients wrote them. */
  readonly accepted: ReadonlySet<string>;
}

/** Travels with one request. Layers derive one with another signal; facts, edits and outcome stay shared. */
export interface Context {
  readonly caller: Caller;
  /** As the client asked for it, without a token that a filter has taken out of the query. */
  url: RequestUrl;
  readonly route: { readonly tier: string; readonly name: string };
  /** What the path's `{name}` captured, percent-encoded as it came. */
  readonly captures: Readonly<Record<string, string>>;
  /** Aborts when a deadline passes. A client that leaves cancels the whole request without it. */
  readonly signal: AbortSignal | undefined;
  readonly facts: Map<Fact<unknown>, unknown>;
  /** Undefined in what runs without a gate. */
  readonly settings?: GateSettings | undefined;
  /** What the request takes of the gate's concurrency; undefined where it was refused. */
  readonly slot?: ConcurrencySlot | undefined;
  /** Edits of the request on its way to the upstream. */
  readonly outbound: HeaderEdit[];
  /** Edits of the response on its way to the client. */
  readonly inbound: HeaderEdit[];
  readonly outcome: Outcome;
}

/** Where a filter stands: what keeps its counts apart from others'. */
export interface FilterInstance {
  readonly tier: string;
  /** `rate-limit`, or `transfer/rate-limit` where a route adds it. */
  readonly id: string;
  /** Rates that an overlay adds to the filter's own; each has to allow a request. */
  readonly limits?: readonly string[] | undefined;
}
