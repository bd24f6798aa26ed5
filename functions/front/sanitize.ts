/** Sanitizes a client's headers, and sets what the front tells gates: request id, trace, and names of gate-only headers. */

import { splitCookieField } from "../gateway/http/cookies.ts";
import { parentSpanHeader, removeSpoofableHeaders, requestIdHeader } from "../gateway/proxy/forwarding.ts";
import { continueTrace } from "../gateway/proxy/trace-context.ts";

/** Safe for logs and headers. Two header lines are joined with a comma, which the pattern excludes. */
const plainId = /^[\w.+/=:@-]{1,128}$/;

/**
 * Removes spoofable headers, sets the request id, and continues the caller's trace (W3C Trace Context).
 * @param spoofable headers that a tier of this front accepts from clients
 * @param accept whether the client's request id is kept
 * @param generatedId a random UUID
 */
export const sanitizeHeaders = (
  headers: Headers,
  accept: boolean,
  spoofable: ReadonlySet<string>,
  generatedId: string,
): SanitizedHeaders => {
  const clientId = accept ? headers.get(requestIdHeader) : null;
  const requestId = clientId !== null && plainId.test(clientId) ? clientId : generatedId;
  const { traceparent, parentSpan } = continueTrace(headers.get("traceparent"), generatedId);
  const { gateOnlyHeaders, ...version } = removeSpoofableHeaders(headers, parentSpan, spoofable);
  const cookies = splitCookieField(headers);
  if (cookies !== undefined) headers.set("cookie", cookies);
  headers.set(requestIdHeader, requestId);
  headers.set("traceparent", traceparent);
  if (parentSpan === undefined) return { requestId, gateOnlyHeaders, ...version };
  headers.set(parentSpanHeader, parentSpan);
  return { requestId, gateOnlyHeaders: [...gateOnlyHeaders, parentSpanHeader], ...version };
};

interface SanitizedHeaders {
  readonly requestId: string;
  readonly gateOnlyHeaders: readonly string[];
  /** The client chose the front's version, so its request does not measure it. */
  readonly choosesVersion: boolean;
  /** The platform chose the front's version by a key, which the client may have chosen. */
  readonly hasVersionKey: boolean;
}
