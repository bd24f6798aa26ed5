/** Reads the Cookie header (RFC 6265, section 4.2). */

/** The values of all cookies of that name, as they were sent. */
export const cookies = (headers: Headers, name: string): string[] =>
  (headers.get("cookie")?.split(";") ?? []).flatMap((pair) => {
    const equals = pair.indexOf("=");
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });

/** The value of one cookie; of several with its name, the first. */
export const cookie = (headers: Headers, name: string): string | undefined => cookies(headers, name)[0];
