/** The media types that gates read. */

/** In lower case, without parameters. */
export const mediaTypeOf = (name: string): string => (name.split(";")[0] ?? "").trim().toLowerCase();

export const isJson = (type: string): boolean => /^application\/(?:[\w.+-]+\+)?json$/.test(type);
export const isText = (type: string): boolean => type === "text/plain";
export const isForm = (type: string): boolean => type === "application/x-www-form-urlencoded";
export const isMultipart = (type: string): boolean => type === "multipart/form-data";
