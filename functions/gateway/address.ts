/** A request's URL in its parts. Most need no parser: what it would give back unchanged is only cut into pieces. */

/** As the URL standard names and reads them; a URL is one. */
export type Address = Pick<URL, "protocol" | "host" | "hostname" | "origin" | "pathname" | "search">;

/**
 * Text that the URL standard leaves as it is: a scheme, a name in lower case that is no number and no punycode, perhaps a port
 * that is nobody's default, a path with no empty or dot segments and nothing encoded, and a query of plain characters.
 */
const plain =
  /^(https?:)\/\/((?!xn--)(?:[a-z0-9-]+\.(?!xn--))*[a-z][a-z0-9-]*)(:(?:[1-5]\d{4}|[1-9]\d{3}))?((?:\/(?!\.)[\w\-.~!$&()*+,=:@]*)+)(\?[\w\-.~!$&()*+,=:@/?%]+)?$/;

/** @throws TypeError where the text is no URL */
export const addressOf = (text: string): Address => {
  const [, protocol, hostname, port = "", pathname, search = ""] = plain.exec(text) ?? [];
  if (protocol === undefined || hostname === undefined || pathname === undefined) return new URL(text);
  const host = hostname + port;
  return { protocol, host, hostname, origin: `${protocol}//${host}`, pathname, search };
};
