/**
 * Canonicalizes paths, so that the gate and the services behind it read the same path.
 *
 * The URL standard has resolved dot segments, encoded ones too, and turned backslashes into slashes. Here,
 * percent-encoded letters, digits and `-._~` are decoded and other encodings become upper case (RFC 3986, section
 * 6.2.2). Whatever servers read differently is refused: empty segments, `;`, encoded slashes, backslashes, semicolons
 * and control characters, these encoded more than once, and bytes that are no UTF-8. Canonicalizing is idempotent.
 * Case matters, and so does a trailing slash.
 *
 * A route may keep encoded slashes (`encoded-slashes: keep`, like Envoy's KEEP_UNCHANGED and Apache's NoDecode). An
 * encoded slash is then part of a captured value, never a separator. Whatever would decode to a dot segment is still
 * refused.
 */

/** A path without a match is canonical, which most paths are. */
const uncommon = /[^\w\-.~!$&'()*+,=:@/]|\/\//;

/** Refused in the canonical form. */
const ambiguous = /\/\/|%(?:5C|3B|[01][0-9A-F]|7F)/;

/** Characters with a special meaning to some servers. */
const significant = /[/\\;.\p{Cc}]/u;

/** Deeper nesting of encodings is refused. */
const maxDepth = 4;

/** Whether repeated decoding reveals a special character. Digits of an encoding may be encoded, too. */
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

/** A dot segment for servers that decode slashes before they resolve segments. */
const hiddenDotSegment = /(?:^|\/|%2F)\.\.?(?:$|\/|%2F)/;

/** @param path in canonical form */
export const hasEncodedSlash = (path: string): boolean => path.includes("%2F");

/**
 * @param slashes whether encoded slashes are kept or refused
 * @returns the canonical path; undefined for a path that servers read differently
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
