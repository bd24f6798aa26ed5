/** Reads the Cookie header (RFC 6265, section 4.2). */

/**
 * Between two Cookie fields that the runtime has joined as it joins other fields. A list of cookies has semicolons
 * (RFC 9113, section 8.2.3), so a service would read the second field as part of the first one's last value. A comma
 * and a space inside one value are taken for this too where a name and `=` follow; neither may stand in a value.
 */
const fieldJoint = /, (?=[!#$%&'*+\-.^`|~\w]+=)/g;

/** The field as everybody reads it: filters, conditions, and the service that it goes on to. */
export const cookieField = (headers: Headers): string | null => {
  const field = headers.get("cookie");
  return field?.includes(", ") ? field.replace(fieldJoint, "; ") : field;
};

/** @returns undefined where the field is right as it came */
export const splitCookieField = (headers: Headers): string | undefined => {
  const field = headers.get("cookie");
  if (!field?.includes(", ")) return undefined;
  const joined = field.replace(fieldJoint, "; ");
  return joined === field ? undefined : joined;
};

/** The values of all cookies of that name, as they were sent. */
export const cookies = (headers: Headers, name: string): string[] =>
  (cookieField(headers)?.split(";") ?? []).flatMap((pair) => {
    const equals = pair.indexOf("=");
    return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });

/** The value of one cookie; of several with its name, the first. */
export const cookie = (headers: Headers, name: string): string | undefined => cookies(headers, name)[0];
