/** Problems: stable error codes, answered as RFC 9457 problem details. */
import type { Context } from "./types.ts";

/** A problem type: HTTP status, and a title that is the same for every occurrence. */
export interface ProblemType {
  readonly status: number;
  readonly title: string;
}

/** The codes of one part, for its `make` and for the docs. */
export type Codes = Readonly<Record<string, ProblemType>>;

/** Codes of the gateway itself. Filters and upstreams declare their own. */
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

/** Codes of every upstream. */
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
  /** Specific to this occurrence. Holds nothing internal and nothing that the caller did not send. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Each error of the request (RFC 9457, section 3), without values. */
  readonly errors?: readonly object[];
}

/** A failure. Thrown, and handled only by `server.ts`. */
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

/** The problem of a request beyond the concurrency limit. */
export const busyFault = (code: "gate-busy" | "client-busy"): Fault =>
  new Fault(gatewayCodes, code, { headers: { "retry-after": "1" } });

/**
 * Builds a problem response (RFC 9457). Its `type` is a URN of the code, so no page has to exist.
 * @returns a response with mutable headers, so that filters ahead (CORS) can edit them
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

/** Refuses a request: records the code in the outcome and returns the problem. */
export const refuse = <C extends Codes>(
  context: Context,
  codes: C,
  code: keyof C & string,
  options?: ProblemOptions,
): Response => {
  context.outcome.code = code;
  return problemResponse(code, codes[code] as ProblemType, context.caller.requestId, options);
};
