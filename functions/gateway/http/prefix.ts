/** Prefixes of paths: whole segments, with another one in their place. */

/** @returns undefined for a path that does not begin so */
export const replacePrefix = (path: string, strip = "", put = ""): string | undefined => {
  if (path === strip) return put || "/";
  return path.startsWith(`${strip}/`) ? put + path.slice(strip.length) : undefined;
};
