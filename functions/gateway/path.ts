/**
 * The one form in which a path is matched and passed on, so that no service behind reads another path than the gate did.
 *
 * The URL standard has resolved dot segments, encoded ones too, and turned backslashes into slashes. Here, percent-encoded
 * letters, digits and `-._~` become themselves, other encodings upper case (RFC 3986, section 6.2.2), and whatever servers
 * read in different ways is refused: empty segments, `;`, encoded slashes, backslashes, semicolons and control characters,
 * these encoded twice, and bytes that are no UTF-8. Case matters, and so does a slash at the end.
 *
 * A route may keep encoded slashes (`encoded-slashes: keep`, as Envoy's KEEP_UNCHANGED and Apache's NoDecode). One is then
 * part of a captured value, never a separator. What would be a dot segment once it is decoded stays refused.
 */

/** Most paths have nothing that needs a second look. */
const odd = /[^\w\-.~!$&'()*+,=:@/]|\/\//;

const ambiguous = /\/\/|;|\\|%(?:5c|3b|[01][0-9a-f]|7f|25(?:2f|5c|2e|3b|00))/i;

const encodedSlash = /%2f/i;

/** A dot segment for a server that decodes slashes before it resolves them. */
const hiddenDots = /(?:^|\/|%2F)\.\.?(?:$|\/|%2F)/;

/** Of a path in its canonical form. */
export const hasEncodedSlash = (path: string): boolean => path.includes("%2F");

/**
 * @param slashes whether an encoded slash may stand in it
 * @returns undefined for a path that means one thing to one server and another to the next
 */
export const canonicalPath = (path: string, slashes: "refuse" | "keep" = "refuse"): string | undefined => {
  if (!odd.test(path)) return path;
  if (ambiguous.test(path) || (slashes === "refuse" && encodedSlash.test(path))) return undefined;
  try {
    decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const canonical = path.replace(/%[0-9a-f]{2}|[^\w\-.~!$&'()*+,=:@/%]/gi, (piece) => {
    if (piece.length < 3) return encodeURIComponent(piece);
    const character = String.fromCharCode(Number.parseInt(piece.slice(1), 16));
    return /[\w\-.~]/.test(character) ? character : piece.toUpperCase();
  });
  return slashes === "keep" && hiddenDots.test(canonical) ? undefined : canonical;
};
