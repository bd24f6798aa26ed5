/** Refusals and faults: stable codes, answered as RFC 9457 problems. */
import type { Context } from "./types.ts";

/** What a code means: its HTTP status and a title that says the same for everybody. */
export interface ProblemType {
  readonly status: number;
  readonly title: string;
}

/** The codes that one file can answer, for its `make` to use and for the docs to list. */
export type Codes = Readonly<Record<string, ProblemType>>;

/** The codes of the gateway itself. Filters and upstreams declare theirs beside their code. */
export const gatewayCodes = {
  "host-malformed": { status: 400, title: "The host of the request is no name or address" },
  "host-unknown": { status: 404, title: "No API is served on this host" },
  "route-unknown": { status: 404, title: "No route matches this path" },
  "method-not-allowed": { status: 405, title: "The path exists, but not with this method" },
  "path-ambiguous": { status: 400, title: "The path means different things to different servers" },
  "condition-unmet": { status: 404, title: "The path exists, but no route takes a request like this one" },
  "reference-malformed": { status: 400, title: "A value of the request cannot be passed on" },
  "upgrade-not-allowed": { status: 400, title: "This route does not become a WebSocket" },
  "route-closed": { status: 503, title: "This API is closed for the time being" },
  "client-busy": { status: 429, title: "This client has too many requests under way at once" },
  "gate-busy": { status: 503, title: "The gate of this API has too many requests at once" },
  "tier-not-deployed": { status: 503, title: "This API is not deployed yet" },
  "gate-unavailable": { status: 503, title: "The gate of this API is not available" },
  internal: { status: 500, title: "The gateway failed" },
} as const satisfies Codes;

/** What can go wrong on the way to any upstream. */
export const upstreamCodes = {
  "body-too-large": { status: 413, title: "The request body is larger than this route takes" },
  "body-unexpected": { status: 400, title: "The body of a GET or HEAD request cannot be passed on here" },
  "body-incomplete": { status: 400, title: "The request body ended early" },
  "body-late": { status: 408, title: "The request body did not arrive in time" },
  "upstream-timeout": { status: 504, title: "The service behind the gateway took too long" },
  "upstream-invalid": { status: 502, title: "The service behind the gateway gave no sound answer" },
  "upstream-unreachable": { status: 502, title: "The service behind the gateway could not be reached" },
} as const satisfies Codes;

export interface ProblemOptions {
  /** What is particular to this occurrence. Nothing internal, nothing that the caller did not send or may not know. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Each thing that is wrong with what was sent (RFC 9457, section 3); no values of it. */
  readonly errors?: readonly object[];
}

/** An unexpected end of the work. Thrown; only `server.ts` rescues. */
export class Fault<C extends Codes = Codes> extends Error {
  override readonly name = "Fault";
  readonly code: string;
  readonly problemType: ProblemType;
  readonly options: ProblemOptions;
  constructor(codes: C, code: keyof C & string, options: ProblemOptions & { readonly cause?: unknown } = {}) {
    super(code, { cause: options.cause });
    this.code = code;
    this.problemType = codes[code] as ProblemType;
    this.options = options;
  }
}

/** What a request without a place of the gate's concurrency is answered. */
export const busyFault = (code: "gate-busy" | "client-busy"): Fault =>
  new Fault(gatewayCodes, code, { headers: { "retry-after": "1" } });

/**
 * The answer to a request that is refused, per RFC 9457. Its `type` is a URN of the code, so that it needs no page to exist.
 * @returns a response with mutable headers, so that edits of filters ahead (CORS) can still be applied
 */
export const problemResponse = (
  code: string,
  { status, title }: ProblemType,
  requestId: string,
  { detail, headers, errors }: ProblemOptions = {},
): Response =>
  new Response(
    `${JSON.stringify({ type: `urn:postern:problem:${code}`, title, status, code, detail, errors, "request-id": requestId })}\n`,
    { status, headers: { ...headers, "content-type": "application/problem+json", "cache-control": "no-store" } },
  );

/** A filter's refusal: the problem, and its code in the outcome. */
export const refuse = <C extends Codes>(
  context: Context,
  codes: C,
  code: keyof C & string,
  options?: ProblemOptions,
): Response => {
  context.outcome.code = code;
  return problemResponse(code, codes[code] as ProblemType, context.caller.requestId, options);
};
