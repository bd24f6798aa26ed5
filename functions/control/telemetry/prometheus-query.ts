/** Evaluates a Prometheus query that returns one value (HTTP API v1, "Instant queries"). */
import { readJson } from "../../gateway/http/read-stream.ts";

export interface PrometheusPlan {
  /** Base URL of `/api/v1/query`. */
  readonly url: string;
  /** Name of the secret with the bearer token. */
  readonly secret: "PROMETHEUS_TOKEN" | null;
}

/** The value, or why there is none. */
export type QueryResult = { readonly value: number } | { readonly none: string };

/** Short, because a rollout's reconciliation waits for it. */
const timeoutMs = 3000;
const maxBytes = 65_536;
const maxReasonChars = 200;

/** @returns the value or the reason for its absence, without the token; never throws */
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
      // A redirect would send the token to another host.
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
    return none(`Prometheus answered ${status} with an invalid body`, token);
  if (status !== 200 || body.status !== "success")
    return none(`Prometheus answered ${status}${typeof body.error === "string" ? `: ${body.error}` : ""}`, token);
  return valueIn(body.data);
};

/** The answer's JSON; its members are unchecked. */
interface Envelope {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly data?: { readonly resultType?: unknown; readonly result?: unknown } | null;
}

const valueIn = (data: Envelope["data"]): QueryResult => {
  const { resultType, result } = data ?? {};
  if (resultType === "scalar") return valueOfSample(result);
  if (resultType !== "vector" || !Array.isArray(result)) return { none: "the result is neither a scalar nor a vector" };
  if (result.length === 0) return { none: "the result is empty" };
  return result.length === 1
    ? valueOfSample((result[0] as { readonly value?: unknown } | null)?.value)
    : { none: `the result has ${result.length} values, not one; aggregate them, for example with sum()` };
};

/** A sample is a time and a text. The text may be `NaN` or `+Inf`, such as for a share of no requests. */
const valueOfSample = (sample: unknown): QueryResult => {
  const text: unknown = Array.isArray(sample) ? sample[1] : undefined;
  const value = typeof text === "string" && text.trim() !== "" ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value } : { none: `the result ${String(text).slice(0, 20)} is not a number` };
};

const none = (reason: string, token: string | undefined): QueryResult => ({
  none: (token ? reason.replaceAll(token, "…") : reason).slice(0, maxReasonChars),
});
