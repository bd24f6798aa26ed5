/** Responses that the edge makes itself: problems (RFC 9457) with stable codes, like those of a gate. */

/** Status and title of each code. `docs/cloud.md` lists them. */
export const edgeCodes = {
  starting: [503, "Gateway is starting"],
  "address-unrouted": [404, "No Worker is routed at this address"],
  "not-deployed": [404, "Worker is not deployed"],
  "worker-broken": [500, "Worker failed to start"],
  "response-unreadable": [502, "Invalid Worker response"],
  "request-malformed": [400, "Malformed request"],
  "request-late": [408, "Request timeout"],
  "method-unknown": [405, "Method not supported"],
  "url-too-long": [414, "URL too long"],
  "header-too-large": [431, "Request header too large"],
  "coding-unknown": [501, "Transfer coding not supported"],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export interface Refusal {
  readonly status: number;
  /** Names and values alternate. */
  readonly fields: readonly string[];
  readonly text: string;
}

/**
 * @param detail of this request
 * @param retryAfter in seconds, where a retry helps
 */
export const refusal = (code: keyof typeof edgeCodes, detail: string, retryAfter?: number): Refusal => {
  const [status, title] = edgeCodes[code];
  return {
    status,
    fields: [
      ...["Content-Type", "application/problem+json", "Cache-Control", "no-store"],
      ...(retryAfter === undefined ? [] : ["Retry-After", String(retryAfter)]),
    ],
    text: `${JSON.stringify({ type: `urn:postern:problem:${code}`, title, status, code, detail })}\n`,
  };
};

/** The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110, section 9.3.7). */
export const emptyResponse: Refusal = { status: 204, fields: [], text: "" };

/** Header names and values of a refusal, with its length. */
export const fieldsOf = ({ fields, text, status }: Refusal): string[] => [
  ...fields,
  ...(status === 204 ? [] : ["Content-Length", String(Buffer.byteLength(text))]),
];
