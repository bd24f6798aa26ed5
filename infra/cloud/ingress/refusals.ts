/** What the edge answers by itself: problems (RFC 9457) with stable codes, like those of a gate. */

/** Status and title of each code. `docs/cloud.md` lists them. */
export const edgeCodes = {
  starting: [503, "The gateway is starting"],
  "address-unrouted": [404, "No Worker is routed at this address"],
  "not-deployed": [404, "The Worker has no deployment"],
  "worker-broken": [500, "The Worker threw an error at start"],
  "response-unreadable": [502, "The Worker gave no response that can be passed on"],
  "request-malformed": [400, "The request is malformed"],
  "request-late": [408, "The request did not arrive in time"],
  "method-unknown": [405, "No Worker takes this method"],
  "url-too-long": [414, "The URL is too long"],
  "header-too-large": [431, "The request header is too large"],
  "coding-unknown": [501, "The transfer coding is not supported"],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export interface Refusal {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly text: string;
}

/**
 * @param detail what is particular to this request
 * @param retryAfter in seconds, where trying again helps
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
export const nothingToSay: Refusal = { status: 204, fields: [], text: "" };

/** Names and values of a refusal, with its length. */
export const fieldsOf = ({ fields, text, status }: Refusal): string[] => [
  ...fields,
  ...(status === 204 ? [] : ["Content-Length", String(Buffer.byteLength(text))]),
];
