/** Classifies media types: JSON, text, forms and ranges that gates can read. */

/** The media type in lower case, without parameters. */
export const mediaTypeOf = (name: string): string => (name.split(";")[0] ?? "").trim().toLowerCase();

/** JSON types, including `text/json` and `application/*+json` of ASP.NET Core, and the `+json` suffix (RFC 6839). */
export const isJson = (type: string): boolean => /^(?:(?:application|text)\/json|[\w.-]+\/[\w.+*-]+\+json)$/.test(type);
export const isText = (type: string): boolean => type === "text/plain";
export const isForm = (type: string): boolean => type === "application/x-www-form-urlencoded";
export const isMultipart = (type: string): boolean => type === "multipart/form-data";

/** The types of each range that gates read. */
const typesByRange: Readonly<Record<string, readonly string[]>> = {
  "*/*": [
    ...["application/json", "application/*+json", "text/json"],
    ...["application/x-www-form-urlencoded", "multipart/form-data"],
  ],
  "application/*": ["application/json", "application/*+json", "application/x-www-form-urlencoded"],
  "text/*": ["text/json"],
  "multipart/*": ["multipart/form-data"],
};

export const isRange = (type: string): boolean => Object.hasOwn(typesByRange, type);
export const readableTypes = (range: string): readonly string[] => typesByRange[range] ?? [];
