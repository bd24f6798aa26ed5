/**
 * The one form in which a path is matched and passed on, so that no service behind reads another path than the gate did.
 *
 * The URL standard has resolved dot segments, encoded ones too, and turned backslashes into slashes. Here, percent-encoded
 * letters, digits and `-._~` become themselves, other encodings upper case (RFC 3986, section 6.2.2), and whatever servers
 * read in different ways is refused: empty segments, `;`, encoded slashes, backslashes, semicolons and control characters,
 * these encoded twice, and bytes that are no UTF-8. Case matters, and so does a slash at the end.
 */

/** Most paths have nothing that needs a second look. */
const odd = /[^\w\-.~!$&'()*+,=:@/]|\/\//;

const ambiguous = /\/\/|;|\\|%(?:2f|5c|3b|[01][0-9a-f]|7f|25(?:2f|5c|2e|3b|00))/i;

/** @returns undefined for a path that means one thing to one server and another to the next */
export const canonicalPath = (path: string): string | undefined => {
  if (!odd.test(path)) return path;
  if (ambiguous.test(path)) return undefined;
  try {
    decodeURIComponent(path);
  } catch {
    return undefined;
  }
  return path.replace(/%[0-9a-f]{2}|[^\w\-.~!$&'()*+,=:@/%]/gi, (piece) => {
    if (piece.length < 3) return encodeURIComponent(piece);
    const character = String.fromCharCode(Number.parseInt(piece.slice(1), 16));
    return /[\w\-.~]/.test(character) ? character : piece.toUpperCase();
  });
};
