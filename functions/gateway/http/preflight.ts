/** CORS preflights: requests that ask for another one's sake. */

/** A preflight walks the filters of the method that it asks about, and ends at the gate (Fetch, CORS-preflight request). */
export const preflightMethod = (request: Request, method = request.method): string | null =>
  method === "OPTIONS" && request.headers.has("origin") ? request.headers.get("access-control-request-method") : null;
