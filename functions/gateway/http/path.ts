/**
 * The one form in which a path is matched and passed on, so that no service behind reads another path than the gate did.
 *
 * The URL standard has resolved dot segments, encoded ones too, and turned backslashes into slashes. Here, percent-encoded
 * letters, digits and `-._~` become themselves, other encodings upper case (RFC 3986, section 6.2.2), and whatever servers
 * read in different ways is refused: empty segments, `;`, encoded slashes, backslashes, semicolons and control characters,
 * these encoded more than once, and bytes that are no UTF-8. The canonical form of a canonical path is that path. Case matters, and so does a slash at the end.
 *
 * A route may keep encoded slashes (`encoded-slashes: keep`, as Envoy's KEEP_UNCHANGED and Apache's NoDecode). One is then
 * part of a captured value, never a separator. What would be a dot segment once it is decoded stays refused.
 */

/** Most paths have nothing that needs a second look. */
const uncommon = /[^\w\-.~!$&'()*+,=:@/]|\/\//;

/** In the canonical form. */
const ambiguous = /\/\/|%(?:5C|3B|[01][0-9A-F]|7F)/;

/** What separates, ends or leads elsewhere, for some servers. */
const significant = /[/\\;.\p{Cc}]/u;

/** An encoding that is itself encoded more often is refused as a whole. */
const maxDepth = 4;

/** Whether a server that decodes more than once finds what has a meaning. Digits of an encoding may be encoded, too. */
const hidesSignificant = (canonical: string): boolean => {
  let text = canonical;
  for (let depth = 0; depth < maxDepth; depth++) {
    if (!text.includes("%")) return false;
    let hides = false;
    text = text.replace(/%[0-7][0-9a-f]/gi, (piece) => {
      const character = String.fromCharCode(Number.parseInt(piece.slice(1), 16));
      if (depth > 0 && significant.test(character)) hides = true;
      return character;
    });
    if (hides) return true;
  }
  return /%[0-7][0-9a-f]/i.test(text);
};

/** A dot segment for a server that decodes slashes before it resolves them. */
const hiddenDotSegment = /(?:^|\/|%2F)\.\.?(?:$|\/|%2F)/;

/** Of a path in its canonical form. */
export const hasEncodedSlash = (path: string): boolean => path.includes("%2F");

/**
 * @param slashes whether an encoded slash may stand in it
 * @returns undefined for a path that means one thing to one server and another to the next
 */
export const canonicalPath = (path: string, slashes: "refuse" | "keep" = "refuse"): string | undefined => {
  if (!uncommon.test(path)) return path;
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
  if (ambiguous.test(canonical) || (canonical.includes("%25") && hidesSignificant(canonical))) return undefined;
  if (slashes === "refuse") return hasEncodedSlash(canonical) ? undefined : canonical;
  return hiddenDotSegment.test(canonical) ? undefined : canonical;
};
