/** Takes parameters out of a query and leaves every other byte of it as the client wrote it: services differ in what they take for the same. */

/** The name of a `name=value`, as the URL standard reads it, which takes one `?` at the beginning for none of the query's. */
export const parameterName = (pair: string): string => [...new URLSearchParams(`?${pair}`).keys()][0] ?? "";

/** @param search begins with `?`, or is empty */
export const withoutParameter = (search: string, name: string): string => {
  const remaining = search
    .slice(1)
    .split("&")
    .filter((pair) => parameterName(pair) !== name);
  return remaining.every((pair) => pair === "") ? "" : `?${remaining.join("&")}`;
};
