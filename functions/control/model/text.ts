/** Texts of bounded length, which are stored and sent. */

/** @param max characters */
export const truncate = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1)}…`;
