/** Asks a Prometheus for one figure (HTTP API v1, "Instant queries"). */
import { readJson } from "../../gateway/http/read-stream.ts";

export interface PrometheusPlan {
  /** What `/api/v1/query` lies under. */
  readonly url: string;
  /** Holds a bearer token. */
  readonly secret: "PROMETHEUS_TOKEN" | null;
}

/** A figure, or why there is none. */
export type QueryResult = { readonly value: number } | { readonly none: string };

/** A look at a rollout waits for it. */
const timeoutMs = 3000;
const maxBytes = 65_536;
const maxReasonChars = 200;

/** @returns what it says; whatever goes wrong is a reason, in which the token is not */
export const queryPrometheus = async (
  promql: string,
  { url }: PrometheusPlan,
  token: string | undefined,
  send: (url: string, init: RequestInit) => Promise<Response>,
): Promise<QueryResult> => {
  const parameters = new URLSearchParams({ query: promql, timeout: `${timeoutMs}ms` });
  try {
    const response = await send(`${url.replace(/\/+$/, "")}/api/v1/query?${parameters}`, {
      headers: { accept: "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      // Whoever it points to was not meant to have the token.
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await readResponse(response, token);
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error), token);
  }
};

const readResponse = async (response: Response, token: string | undefined): Promise<QueryResult> => {
  const { status } = response;
  const body = (await readJson(response, maxBytes).catch((error: Error) => error)) as Envelope | Error | null;
  if (body instanceof Error || typeof body !== "object" || body === null)
    return none(`it answered ${status} with something else than Prometheus does`, token);
  if (status !== 200 || body.status !== "success")
    return none(`it answered ${status}${typeof body.error === "string" ? `: ${body.error}` : ""}`, token);
  return valueIn(body.data);
};

/** Of `error` and `data` anything may come. */
interface Envelope {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown } | null;
}

const valueIn = (data: Envelope["data"]): QueryResult => {
  const { resultType, result } = data ?? {};
  if (resultType === "scalar") return valueOfSample(result);
  if (resultType !== "vector" || !Array.isArray(result)) return { none: "it gave neither a scalar nor a vector" };
  if (result.length === 0) return { none: "it gave nothing" };
  return result.length === 1
    ? valueOfSample((result[0] as { readonly value?: unknown } | null)?.value)
    : { none: `it gave ${result.length} figures, not one; sum() makes one of them` };
};

/** A time and a text, which may be `NaN` and `+Inf`: of no requests no share can be told. */
const valueOfSample = (sample: unknown): QueryResult => {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value } : { none: `it gave ${String(text).slice(0, 20)}, which is no figure` };
};

const none = (reason: string, token: string | undefined): QueryResult => ({
  none: (token ? reason.replaceAll(token, "…") : reason).slice(0, maxReasonChars),
});
