/** Converts a gate's request into an OTLP span. Like access lines, spans contain neither path nor query. */
import { parentSpanHeader } from "../../gateway/proxy/forwarding.ts";
import { attributes, nanos, resource, scope } from "../exporters/otlp/json.ts";
import type { AccessLine, TailEvent } from "./events.ts";

export interface TailContext {
  readonly environment: string;
  readonly scheme: string;
  /** Tiers that each gate serves. */
  readonly workers: Readonly<Record<string, readonly string[]>>;
  /** The front's Worker. */
  readonly front: string;
  /** Path templates by tier and route. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Span {
  readonly tier: string;
  readonly version: string;
  readonly span: object;
}

const server = 2;
const failed = 2;
const sampled = 1;

/** @returns undefined if the trace is not sampled or unknown */
export const spanOf = (event: TailEvent, context: TailContext): Span | undefined =>
  event.line ? spanFromLine(event.line, event, context) : event.died ? spanFromDeath(event, context) : undefined;

const spanFromLine = (
  line: AccessLine,
  { cpuMs, died, outcome }: TailEvent,
  context: TailContext,
): Span | undefined => {
  const { tier, version, route, trace, span, parent, status, method } = line;
  if (!line.sampled || span === undefined) return undefined;
  const path = pathOf(context, tier, route);
  const start = Date.parse(line.time);
  const error = died ? outcome : status >= 500 ? (line.code ?? String(status)) : undefined;
  return {
    tier,
    version,
    span: {
      ...ids(trace, span, parent),
      name: [method, path].filter(Boolean).join(" "),
      kind: server,
      startTimeUnixNano: nanos(start),
      endTimeUnixNano: nanos(start + line.ms),
      attributes: attributes({
        "http.request.method": method,
        "http.route": path,
        "url.scheme": context.scheme,
        // 499 is internal: the client disconnected and received no status.
        "http.response.status_code": line.verdict === "left" ? undefined : status,
        "error.type": error,
        "postern.route": route ?? undefined,
        "postern.verdict": line.verdict,
        "postern.by": line.by,
        "postern.code": line.code,
        "postern.upstream": line.upstream,
        "postern.upstream.seconds": seconds(line.upstreamMs),
        "postern.cpu.seconds": seconds(cpuMs || undefined),
        "postern.degraded": line.degraded?.join(","),
        "postern.request": line.request,
      }),
      status: error === undefined ? {} : { code: failed },
    },
  };
};

/** The front's header: `00-<trace>-<span>-01`. */
const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

/** A request that died has no access line; only the runtime reports it. */
const spanFromDeath = (event: TailEvent, { workers, scheme }: TailContext): Span | undefined => {
  const [, trace, span] = traceparent.exec(event.headers.traceparent ?? "") ?? [];
  if (trace === undefined || span === undefined) return undefined;
  const tiers = Object.hasOwn(workers, event.worker) ? (workers[event.worker] ?? []) : [];
  return {
    tier: tiers.length === 1 ? (tiers[0] as string) : event.worker,
    version: event.version,
    span: {
      ...ids(trace, span, event.headers[parentSpanHeader]),
      name: event.method || "HTTP",
      kind: server,
      startTimeUnixNano: nanos(event.at),
      endTimeUnixNano: nanos(event.at + event.wallMs),
      attributes: attributes({
        "http.request.method": event.method,
        "url.scheme": scheme,
        "error.type": event.outcome,
        "postern.verdict": "died",
        "postern.cpu.seconds": seconds(event.cpuMs),
      }),
      status: { code: failed },
    },
  };
};

const ids = (traceId: string, spanId: string, parentSpanId: string | undefined) => ({
  traceId,
  spanId,
  ...(parentSpanId !== undefined && { parentSpanId }),
  flags: sampled,
});

const pathOf = ({ paths }: TailContext, tier: string, route: string | null): string | undefined => {
  const tierPaths = Object.hasOwn(paths, tier) ? paths[tier] : undefined;
  return tierPaths && route !== null && Object.hasOwn(tierPaths, route) ? tierPaths[route] : undefined;
};

const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Number((ms / 1000).toPrecision(9));

/** An ExportTraceServiceRequest. */
export const tracesOf = (spans: readonly Span[], environment: string): object => ({
  resourceSpans: [...Map.groupBy(spans, ({ tier, version }) => `${tier}\n${version}`).values()].map((group) => ({
    resource: resource({ environment, tier: group[0]?.tier ?? "", version: group[0]?.version ?? "" }),
    scopeSpans: [{ scope, spans: group.map(({ span }) => span) }],
  })),
});
