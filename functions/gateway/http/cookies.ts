/** Reads the Cookie header (RFC 6265, section 4.2). */

/**
 * Matches where the runtime has joined two Cookie fields with a comma. Cookies are separated by semicolons (RFC 9113,
 * section 8.2.3), so a service would read the second field as part of the last value. A comma and a space within a
 * value also match when a name and `=` follow; neither is allowed in a value.
 */
const fieldJoint = /, (?=[!#$%&'*+\-.^`|~\w]+=)/g;

/** The Cookie field, with joined fields separated again, as filters, conditions and the service read it. */
export const cookieField = (headers: Headers): string | null => {
  const field = headers.get("cookie");
  return field?.includes(", ") ? field.replace(fieldJoint, "; ") : field;
};

/** @returns the repaired field; undefined when nothing has to change */
export const splitCookieField = (headers: Headers): string | undefined => {
  const field = headers.get("cookie");
  if (!field?.includes(", ")) return undefined;
  const joined = field.replace(fieldJoint, "; ");
  return joined === field ? undefined : joined;
};

/** The values of all cookies of a name, undecoded. */
export const cookies = (headers: Headers, name: string): string[] =>
  (cookieField(headers)?.split(";") ?? []).flatMap((pair) => {
    const equals = pair.indexOf("=");
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });

/** The value of the first cookie of a name. */
export const cookie = (headers: Headers, name: string): string | undefined => cookies(headers, name)[0];
