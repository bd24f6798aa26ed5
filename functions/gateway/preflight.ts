/** CORS preflights: requests that ask for another one's sake. */

/** A preflight walks the filters of the method that it asks about, and ends at the gate (Fetch, CORS-preflight request). */
export const preflightMethod = ({ method, headers }: Request): string | null =>
  method === "OPTIONS" && headers.has("origin") ? headers.get("access-control-request-method") : null;
