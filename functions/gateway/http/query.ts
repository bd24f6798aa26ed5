/** Removes parameters from a query and keeps the rest byte for byte, since services parse queries differently. */

/** The name in `name=value`, as the URL standard parses it. The `?` is added because the standard drops one. */
export const parameterName = (pair: string): string => [...new URLSearchParams(`?${pair}`).keys()][0] ?? "";

/** @param search starts with `?`, or is empty */
export const withoutParameter = (search: string, name: string): string => {
  const remaining = search
    .slice(1)
    .split("&")
    .filter((pair) => parameterName(pair) !== name);
  return remaining.every((pair) => pair === "") ? "" : `?${remaining.join("&")}`;
};
