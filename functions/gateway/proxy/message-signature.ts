/**
 * Signs requests to a service (HTTP Message Signatures, RFC 9421, hmac-sha256), so that it can verify that they came
 * through the gate.
 */

/** Signs a complete request. */
export type SignRequest = (request: Request) => Promise<void>;

const components = ["@method", "@path", "@query", "x-request-id"] as const;

const text = new TextEncoder();

/**
 * Creates a signer and imports the key once. The body is not covered, since it streams.
 * @param keyid tells the service which key to verify with
 * @param now milliseconds since the epoch
 */
export const signer = (keyid: string, secret: string, now: () => number): SignRequest => {
  const key = crypto.subtle.importKey("raw", text.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const covered = components.map((it) => `"${it}"`).join(" ");
  return async (request) => {
    const created = Math.floor(now() / 1000);
    const parameters = `(${covered});created=${created};keyid="${keyid}";alg="hmac-sha256"`;
    const mac = await crypto.subtle.sign("HMAC", await key, text.encode(signatureBase(request, parameters)));
    // Set, not appended: otherwise a signature of the client would look like the gate's.
    request.headers.set("signature-input", `postern=${parameters}`);
    request.headers.set("signature", `postern=:${btoa(String.fromCharCode(...new Uint8Array(mac)))}:`);
  };
};

/** The signature base (section 2.5): a line for each component, then the parameters. */
const signatureBase = (request: Request, parameters: string): string => {
  const lines = components.map((it) => `"${it}": ${componentOf(it, request)}`);
  return [...lines, `"@signature-params": ${parameters}`].join("\n");
};

const componentOf = (component: (typeof components)[number], { method, url, headers }: Request): string => {
  switch (component) {
    case "@method":
      return method;
    case "@path":
      return new URL(url).pathname;
    case "@query":
      // An absent query is a lone question mark (section 2.2.7).
      return new URL(url).search || "?";
    default:
      return headers.get(component) ?? "";
  }
};
