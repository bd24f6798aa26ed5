/** Pushes one message to a collector by OTLP/HTTP, bounded in time and size, and returns the result. Source: OTLP specification 1, "OTLP/HTTP". */
import { readJson } from "../../../gateway/http/read-stream.ts";
import { parseHeaders } from "./headers.ts";

export interface CollectorPlan {
  /** Base URL of `/v1/metrics` and `/v1/traces`. */
  readonly url: string;
  /** Name of the secret with the headers, in the format of OTEL_EXPORTER_OTLP_HEADERS. */
  readonly secret: string | null;
}

export interface Collector extends CollectorPlan {
  /** The secret's value. */
  readonly headers?: string | undefined;
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
}

export type PushResult =
  /** @param rejected items that the collector dropped for good */
  | { readonly ok: true; readonly rejected: number }
  /** @param afterMs the collector's Retry-After */
  | { readonly ok: false; readonly retryable: boolean; readonly afterMs: number; readonly why: string };

const timeoutMs = 10_000;
const maxAnswerBytes = 65_536;
/** OTLP/HTTP, "Failures": other statuses are not retryable. */
const retryableStatuses: readonly number[] = [429, 502, 503, 504];
const maxWaitMs = 5 * 60_000;

/** Never throws. Its result contains no header. */
export const push = async (
  signal: "metrics" | "traces",
  message: object,
  { url, headers, send }: Collector,
): Promise<PushResult> => {
  try {
    const response = await send(`${url.replace(/\/$/, "")}/v1/${signal}`, {
      method: "POST",
      headers: { ...parseHeaders(headers), "content-type": "application/json" },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(timeoutMs),
      // A redirect would send the headers to another host.
      redirect: "manual",
    });
    if (response.status === 200) return { ok: true, rejected: await rejectedCount(response) };
    await response.body?.cancel();
    const afterMs = Number(response.headers.get("retry-after") ?? 0) * 1000 || 0;
    return {
      ok: false,
      retryable: retryableStatuses.includes(response.status),
      afterMs: Math.min(Math.max(0, afterMs), maxWaitMs),
      why: `the collector answered ${response.status}`,
    };
  } catch (error) {
    return { ok: false, retryable: true, afterMs: 0, why: error instanceof Error ? error.message : String(error) };
  }
};

/** Reads `partialSuccess` of OTLP's JSON. An unreadable answer counts as full success. */
const rejectedCount = async (response: Response): Promise<number> => {
  const body = await readJson(response, maxAnswerBytes).catch(() => undefined);
  const { partialSuccess } = (body ?? {}) as { readonly partialSuccess?: Readonly<Record<string, unknown>> | null };
  const count = Number(partialSuccess?.rejectedDataPoints ?? partialSuccess?.rejectedSpans ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
};
