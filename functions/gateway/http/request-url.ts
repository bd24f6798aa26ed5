/** Splits request URLs into parts. Most need no parser, since parsing would not change them. */

/** Parts of a URL, named as in the URL standard. A `URL` has this shape. */
export type RequestUrl = Pick<URL, "protocol" | "host" | "hostname" | "origin" | "pathname" | "search">;

/**
 * URLs that the URL standard does not change: a scheme, a lower-case host name that is no number and no punycode, an
 * optional non-default port, a path with no dot segments and no encodings, and a query of plain characters.
 */
const plainUrl =
  /^(https?:)\/\/((?!xn--)(?:[a-z0-9-]+\.(?!xn--))*[a-z][a-z0-9-]*)(:(?:[1-5]\d{4}|[1-9]\d{3}))?((?:\/(?!\.)[\w\-.~!$&()*+,=:@]*)+)(\?[\w\-.~!$&()*+,=:@/?%]+)?$/;

/**
 * A host name without empty labels or an address in brackets, and an optional port: no user, no encoding, nothing
 * that two parsers could split differently (RFC 9110, section 7.2). `.acme.example` would match `*.acme.example` and
 * name no tenant.
 */
const validHost = /^https?:\/\/(?:[\w-]+(?:\.[\w-]+)*\.?|\[[\da-f:.]+\])(?::\d*)?(?:[/?#]|$)/i;

/** @returns undefined when the host is invalid, as a client may send it */
export const parseRequestUrl = (text: string): RequestUrl | undefined => {
  const [, protocol, hostname, port = "", pathname, search = ""] = plainUrl.exec(text) ?? [];
  if (protocol === undefined || hostname === undefined || pathname === undefined)
    return validHost.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const host = hostname + port;
  return { protocol, host, hostname, origin: `${protocol}//${host}`, pathname, search };
};

/** The URL of a request with an invalid host. */
export const invalidUrl: RequestUrl = { protocol: "", host: "", hostname: "", origin: "", pathname: "/", search: "" };
