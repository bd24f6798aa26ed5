/** Formats of values: which a gate checks, and which say nothing of a value's form. */

export const formats = [
  ...["date", "time", "date-time", "duration", "uri", "uri-reference", "email", "hostname", "ipv4", "ipv6", "uuid"],
  ...["json-pointer", "byte", "int32", "int64"],
];

/** They say what a value is for. */
const purposes = ["float", "double", "password"];

/** Ajv takes an int64 of any size. Numbers near these bounds are rounded to them. */
const int64 = { minimum: -(2 ** 63), maximum: 2 ** 63 };

/** @returns what stands for it in a schema that is checked; undefined for a format that no gate checks */
export const wordsOfFormat = (format: string): Readonly<Record<string, unknown>> | undefined => {
  if (format === "int64") return { format, ...int64 };
  // What is a file, forms have to know.
  if (formats.includes(format) || format === "binary") return { format };
  return purposes.includes(format) ? {} : undefined;
};
