/** Continues the caller's trace (W3C Trace Context, level 1). */

/** Any version but ff. What later versions append is dropped (W3C Trace Context, section 3.2.4). */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

interface TraceContext {
  readonly traceparent: string;
  /** The caller's span, the parent of ours; undefined when the trace starts here. */
  readonly parentSpan: string | undefined;
}

/**
 * Continues a trace with a new span, or starts one when there is no valid `traceparent`.
 * @param id a random UUID: its digits become the span id, and the trace id of a new trace
 */
export const continueTrace = (traceparent: string | null, id: string): TraceContext => {
  const trace = id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
  const span = trace.slice(16);
  const [, known, parentSpan, flags = "00"] = (traceparent !== null && traceparentPattern.exec(traceparent)) || [];
  if (traceparent === null || known === undefined || (traceparent.startsWith("00") && traceparent.length !== 55))
    return { traceparent: `00-${trace}-${span}-01`, parentSpan: undefined };
  return { traceparent: `00-${known}-${span}-0${Number.parseInt(flags, 16) & 1}`, parentSpan };
};

/** Continues the caller's trace or starts one (W3C Trace Context, level 1). */
export const traceparentOf = (headers: Headers, uuid: () => string): string =>
  continueTrace(headers.get("traceparent"), uuid()).traceparent;
