/** Recognizes CORS preflights. */

/**
 * The method that a preflight asks about, or null. A preflight runs the filters of that method and ends at the gate
 * (Fetch, CORS-preflight request).
 */
export const preflightMethod = (request: Request, method = request.method): string | null =>
  method === "OPTIONS" && request.headers.has("origin") ? request.headers.get("access-control-request-method") : null;
