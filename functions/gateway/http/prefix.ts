/** Replaces prefixes of paths, which are whole segments. */

/** @returns undefined for a path without the prefix */
export const replacePrefix = (path: string, strip = "", put = ""): string | undefined => {
  if (path === strip) return put || "/";
  return path.startsWith(`${strip}/`) ? put + path.slice(strip.length) : undefined;
};
