/** One HTTP call to an external receiver: bounded in time and size, follows no redirect, and its errors contain no secret. */

export interface HttpCall {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Why a delivery failed. */
export interface DeliveryFailure {
  readonly ok: false;
  /** The reason, for operators. */
  readonly error: string;
  /** Status of the answer, if there was one. */
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
  /** `notice`: no retry of this notice. `channel`: no retry of any notice until a person intervenes. */
  readonly final?: "notice" | "channel" | undefined;
}

export type DeliveryResult = { readonly ok: true } | DeliveryFailure;

export type HttpResult =
  | { readonly ok: true; readonly status: number; readonly headers: Headers; readonly text: string }
  | DeliveryFailure;

export interface HttpPorts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timeout: (ms: number) => AbortSignal;
}

const timeoutMs = 10_000;

/**
 * @param maxBytes of the answer's body; the rest is discarded
 * @param secrets to be removed from errors
 */
export const httpCall = async (
  http: HttpPorts,
  { url, ...init }: HttpCall,
  maxBytes: number,
  secrets: readonly string[],
): Promise<HttpResult> => {
  const signal = http.timeout(timeoutMs);
  try {
    const response = await http.fetch(url, { ...init, redirect: "manual", signal });
    const text = await readStart(response, maxBytes);
    const { ok, status, headers } = response;
    if (ok) return { ok, status, headers, text };
    const redirected = status >= 300 && status < 400 ? ", and redirects are not followed" : "";
    return {
      ok: false,
      error: `answered ${status}${redirected}`,
      status,
      retryAfterMs: retryAfter(headers, http.now()),
    };
  } catch (error) {
    if (signal.aborted) return { ok: false, error: `did not answer within ${timeoutMs / 1000} s` };
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, error: `could not be reached: ${redact(message, secrets).slice(0, 200)}` };
  }
};

/** Reads the start of the body, bounded in bytes. */
const readStart = async ({ body }: Response, maxBytes: number): Promise<string> => {
  if (!body) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let left = maxBytes; left > 0; ) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.byteLength;
    }
  } finally {
    // Discards the rest.
    reader.cancel().catch(() => {});
  }
  return text;
};

/** @returns the wait in milliseconds, from Retry-After as seconds or a date (RFC 9110, section 10.2.3) or from GitHub's rate limit; undefined without either */
export const retryAfter = (headers: Headers, now: number): number | undefined => {
  const resetAt = headers.get("x-ratelimit-remaining") === "0" ? headers.get("x-ratelimit-reset") : null;
  const value = headers.get("retry-after")?.trim() ?? (resetAt && new Date(Number(resetAt) * 1000).toUTCString());
  if (!value) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? ms : undefined;
};

const redact = (text: string, secrets: readonly string[]): string =>
  secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
