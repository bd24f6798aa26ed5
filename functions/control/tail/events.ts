/** Parses the runtime's tail events: what the tail needs of a request to a gate or to the front. */

import { overridesHeader, smokeHeader } from "../../gateway/proxy/forwarding.ts";

/** The gate's own line (`functions/gateway/observability/access-log.ts`); a gate of another version may write other fields. */
export interface AccessLine {
  readonly type: "access";
  readonly time: string;
  readonly tier: string;
  readonly route: string | null;
  readonly version: string;
  readonly method: string;
  readonly status: number;
  readonly verdict: string;
  readonly by?: string;
  readonly code?: string;
  readonly ms: number;
  readonly upstream?: string;
  readonly upstreamMs?: number;
  readonly degraded?: readonly string[];
  readonly request: string;
  readonly trace: string;
  readonly span?: string;
  readonly parent?: string;
  readonly sampled?: boolean;
}

/** A gate's fault line: of a request, or of the gate itself, such as `feed-lost`. */
export interface FaultLine {
  readonly type: "fault";
  readonly tier: string;
  readonly code: string;
}

/** The gate ended a stream: by age, or because its version was rolled back. */
interface StreamLine {
  readonly type: "stream";
  readonly tier: string;
}

type GateLine = AccessLine | FaultLine | StreamLine;

export interface TailEvent {
  readonly worker: string;
  readonly version: string;
  readonly outcome: string;
  /** The request ended without the gate being able to report it. */
  readonly died: boolean;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  /** Of the response; 0 if there is none. */
  readonly status: number;
  /** The request's headers as the front set them. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Whether the front marked a tester, or the client chose the front's version. The mark is ignored at a zone's own gate,
   * where a client could set the header.
   */
  readonly tester: boolean;
  readonly line: AccessLine | undefined;
  readonly faults: readonly FaultLine[];
}

/** Outcomes that the gate reports itself, or that harm nobody. */
const harmless: readonly string[] = ["ok", "canceled", "responseStreamDisconnected", "unknown"];

/** Where the gate breaks off a response for its client, the runtime reports an exception, which the gate has counted. */
const endsBody = (line: GateLine): boolean =>
  line.type === "stream" ||
  (line.type === "fault" && (line.code === "response-cut" || line.code === "response-stalled"));

/** The entrypoint that only the front reaches. */
const frontEntrypoint = "Behind";

/** @param front the front's Worker */
export const tailEventOf = (item: TraceItem, front: string): TailEvent => {
  const lines = item.logs.flatMap(({ message }) => parseLine(message) ?? []);
  const request = item.event && "request" in item.event ? item.event.request : undefined;
  const response = item.event && "response" in item.event ? item.event.response : undefined;
  const headers = request?.headers ?? {};
  return {
    worker: item.scriptName ?? "",
    version: item.scriptVersion?.id ?? "",
    outcome: item.outcome,
    died: !harmless.includes(item.outcome) && !(item.outcome === "exception" && lines.some(endsBody)),
    cpuMs: item.cpuTime,
    wallMs: item.wallTime,
    at: item.eventTimestamp ?? 0,
    method: request?.method ?? "",
    status: response?.status ?? 0,
    headers,
    tester:
      item.scriptName === front
        ? Object.hasOwn(headers, overridesHeader)
        : item.entrypoint === frontEntrypoint && Object.hasOwn(headers, smokeHeader),
    line: lines.find((it) => it.type === "access"),
    faults: lines.filter((it) => it.type === "fault"),
  };
};

const linePrefix = /^\{"type":"(?:access|fault|stream)"/;

/** @param message the arguments of `console.log` */
const parseLine = (message: unknown): GateLine | undefined => {
  const [text] = Array.isArray(message) ? message : [];
  if (typeof text !== "string" || !linePrefix.test(text)) return undefined;
  try {
    const line = JSON.parse(text) as GateLine;
    return typeof line.tier === "string" ? line : undefined;
  } catch {
    // The platform truncates long lines.
    return undefined;
  }
};
