/** The `format` values that a gate checks, and those that are informational only. */

export const formats = [
  ...["date", "time", "date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6", "uuid"],
  ...["json-pointer", "byte", "int32", "int64"],
];

/** Formats without a check. */
const informationalFormats = ["float", "double", "password"];

const signed = (bits: number) => ({ minimum: -(2 ** (bits - 1)), maximum: 2 ** (bits - 1) - 1 });
const unsigned = (bits: number) => ({ minimum: 0, maximum: 2 ** bits - 1 });

/** Numeric formats of OpenAPI's registry and of Rust generators. Numbers near 64-bit bounds are rounded. */
const numericBounds: Readonly<Record<string, object>> = {
  ...{ int8: signed(8), int16: signed(16), int64: signed(64) },
  ...{ uint: { minimum: 0 }, uint8: unsigned(8), uint16: unsigned(16), uint32: unsigned(32), uint64: unsigned(64) },
};

/** @returns the keywords that check the format; undefined if it cannot be checked */
export const keywordsOfFormat = (format: string): Readonly<Record<string, unknown>> | undefined => {
  if (Object.hasOwn(numericBounds, format))
    return { ...numericBounds[format], ...(formats.includes(format) && { format }) };
  // Forms need to know files.
  if (formats.includes(format) || format === "binary") return { format };
  return informationalFormats.includes(format) ? {} : undefined;
};
