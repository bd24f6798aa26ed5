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
  "host-malformed": { status: 400, title: "Malformed host" },
  "host-unknown": { status: 404, title: "Unknown host" },
  "route-unknown": { status: 404, title: "No route matches this path" },
  "method-not-allowed": { status: 405, title: "Method not allowed" },
  "path-ambiguous": { status: 400, title: "Ambiguous path" },
  "condition-unmet": { status: 404, title: "No route matches this request" },
  "reference-malformed": { status: 400, title: "Request value cannot be forwarded" },
  "upgrade-not-allowed": { status: 400, title: "WebSocket not allowed on this route" },
  "route-closed": { status: 503, title: "API temporarily closed" },
  "client-busy": { status: 429, title: "Too many concurrent requests from this client" },
  "gate-busy": { status: 503, title: "Gateway at its concurrency limit" },
  "tier-not-deployed": { status: 503, title: "API not deployed" },
  "gate-unavailable": { status: 503, title: "Gateway unavailable" },
  internal: { status: 500, title: "Internal gateway error" },
} as const satisfies Codes;

/** Codes of every upstream. */
export const upstreamCodes = {
  "body-too-large": { status: 413, title: "Request body too large" },
  "body-unexpected": { status: 400, title: "Body not supported with GET or HEAD" },
  "body-incomplete": { status: 400, title: "Incomplete request body" },
  "body-late": { status: 408, title: "Request body timed out" },
  "upstream-timeout": { status: 504, title: "Upstream timed out" },
  "upstream-invalid": { status: 502, title: "Invalid upstream response" },
  "upstream-unreachable": { status: 502, title: "Upstream unreachable" },
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
