/** A request's URL in its parts. Most need no parser: what it would give back unchanged is only cut into pieces. */

/** As the URL standard names and reads them; a URL is one. */
export type RequestUrl = Pick<URL, "protocol" | "host" | "hostname" | "origin" | "pathname" | "search">;

/**
 * Text that the URL standard leaves as it is: a scheme, a name in lower case that is no number and no punycode, perhaps a port
 * that is nobody's default, a path with no dot segments and nothing encoded, and a query of plain characters.
 */
const plainUrl =
  /^(https?:)\/\/((?!xn--)(?:[a-z0-9-]+\.(?!xn--))*[a-z][a-z0-9-]*)(:(?:[1-5]\d{4}|[1-9]\d{3}))?((?:\/(?!\.)[\w\-.~!$&()*+,=:@]*)+)(\?[\w\-.~!$&()*+,=:@/?%]+)?$/;

/**
 * A name without empty labels, or an address in brackets, and perhaps a port: no user, no encoding, nothing that two parsers
 * could cut differently (RFC 9110, section 7.2). `.acme.example` would be beneath `*.acme.example`, and name no tenant.
 */
const validHost = /^https?:\/\/(?:[\w-]+(?:\.[\w-]+)*\.?|\[[\da-f:.]+\])(?::\d*)?(?:[/?#]|$)/i;

/** @returns undefined where the host is none, as a client may write it */
export const parseRequestUrl = (text: string): RequestUrl | undefined => {
  const [, protocol, hostname, port = "", pathname, search = ""] = plainUrl.exec(text) ?? [];
  if (protocol === undefined || hostname === undefined || pathname === undefined)
    return validHost.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const host = hostname + port;
  return { protocol, host, hostname, origin: `${protocol}//${host}`, pathname, search };
};
