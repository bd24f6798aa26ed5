/** Parses a collector's headers in the format of OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, values percent-encoded (W3C Baggage without properties). */

const token = /^[!#$%&'*+.^`|~\w-]+$/;
/** A field value (RFC 9110, section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @throws Error that names the entry's number, and not its content */
export const parseHeaders = (text = ""): Record<string, string> => {
  const entries = text.split(",").flatMap((entry, index): [string, string][] => {
    if (entry.trim() === "") return [];
    const at = entry.indexOf("=");
    const name = entry.slice(0, at).trim().toLowerCase();
    const value = at > 0 ? decode(entry.slice(at + 1).trim()) : undefined;
    if (!token.test(name) || value === undefined || !fieldValue.test(value))
      throw new Error(`entry ${index + 1} of the collector's headers is not name=value`);
    return [[name, value]];
  });
  return Object.fromEntries(entries);
};

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};
