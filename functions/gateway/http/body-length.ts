/** The length that a service announces for its response's body. */

/**
 * Services and proxies send `Content-Length` twice, or beside a `Transfer-Encoding`, which has precedence (RFC 9112, section
 * 6.3; RFC 9110, section 8.6 for repeated values).
 * @returns undefined if the body has no length that it must have
 */
export const announcedBodyLength = (headers: Headers): number | undefined => {
  const text = headers.get("content-length");
  if (text === null || headers.has("transfer-encoding")) return undefined;
  const [first = "", ...others] = text.split(",").map((it) => it.trim());
  return plainLength.test(first) && others.every((it) => it === first) ? Number(first) : undefined;
};

/** Below 2^53, as the runtime demands. */
const plainLength = /^\d{1,15}$/;
