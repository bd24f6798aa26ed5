/** Takes parameters out of a query and leaves every other byte of it as the client wrote it: services differ in what they take for the same. */

/** The name of a `name=value`, as the URL standard reads it, which takes one `?` at the beginning for none of the query's. */
export const parameterOf = (pair: string): string => [...new URLSearchParams(`?${pair}`).keys()][0] ?? "";

/** @param search begins with `?`, or is empty */
export const withoutParameter = (search: string, name: string): string => {
  const left = search
    .slice(1)
    .split("&")
    .filter((pair) => parameterOf(pair) !== name);
  return left.every((pair) => pair === "") ? "" : `?${left.join("&")}`;
};
