/** Formats of values: which a gate checks, and which say nothing of a value's form. */

export const formats = [
  ...["date", "time", "date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6", "uuid"],
  ...["json-pointer", "byte", "int32", "int64"],
];

/** They say what a value is for. */
const informationalFormats = ["float", "double", "password"];

const signed = (bits: number) => ({ minimum: -(2 ** (bits - 1)), maximum: 2 ** (bits - 1) - 1 });
const unsigned = (bits: number) => ({ minimum: 0, maximum: 2 ** bits - 1 });

/** Of OpenAPI's registry, and what Rust's documents say. Numbers near the bounds of 64 bits are rounded to them. */
const numericBounds: Readonly<Record<string, object>> = {
  ...{ int8: signed(8), int16: signed(16), int64: signed(64) },
  ...{ uint: { minimum: 0 }, uint8: unsigned(8), uint16: unsigned(16), uint32: unsigned(32), uint64: unsigned(64) },
};

/** @returns what stands for it in a schema that is checked; undefined for a format that no gate checks */
export const keywordsOfFormat = (format: string): Readonly<Record<string, unknown>> | undefined => {
  if (Object.hasOwn(numericBounds, format))
    return { ...numericBounds[format], ...(formats.includes(format) && { format }) };
  // What is a file, forms have to know.
  if (formats.includes(format) || format === "binary") return { format };
  return informationalFormats.includes(format) ? {} : undefined;
};
