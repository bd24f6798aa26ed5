/** One call to somebody outside: bounded in time and size, with no redirect followed, and no secret in what is said of it. */

export interface HttpCall {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Why it was not heard. */
export interface DeliveryFailure {
  readonly ok: false;
  /** A sentence for operators. */
  readonly error: string;
  /** Of the answer, where there was one. */
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
  /** `notice`: this one never will be. `channel`: none will, until somebody has looked. */
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
 * @param maxBytes of the answer's body; it is cut there
 * @param secrets that must not be in an error
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

/** Not more of the body than asked for, however much there is. */
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
    // The rest is not waited for.
    reader.cancel().catch(() => {});
  }
  return text;
};

/** @returns undefined where it says none, as seconds or as a date (RFC 9110, section 10.2.3), or as GitHub's limit of calls does */
export const retryAfter = (headers: Headers, now: number): number | undefined => {
  const resetAt = headers.get("x-ratelimit-remaining") === "0" ? headers.get("x-ratelimit-reset") : null;
  const value = headers.get("retry-after")?.trim() ?? (resetAt && new Date(Number(resetAt) * 1000).toUTCString());
  if (!value) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? ms : undefined;
};

const redact = (text: string, secrets: readonly string[]): string =>
  secrets.filter(Boolean).reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
