/** Turns the response of a service or a filter into the client's response. */
import { getFact, Subprotocol } from "./core/facts.ts";
import type { Context } from "./core/types.ts";
import { applyEdits } from "./proxy/send.ts";

/** Copies the response once and applies the filters' header edits. */
export const finishResponse = (response: Response, context: Context): Response => {
  const copy = new Response(response.body, response);
  const { headers } = copy;
  applyEdits(headers, context.inbound);
  if (copy.status === 101) setSubprotocol(headers, context);
  headers.set("x-request-id", context.caller.requestId);
  return copy;
};

/**
 * Selects the subprotocol that held the token. The service never saw it and cannot select it, and browsers close a
 * connection without a selection.
 */
const setSubprotocol = (headers: Headers, context: Context): void => {
  const subprotocol = getFact(context, Subprotocol);
  if (subprotocol !== undefined && !headers.has("sec-websocket-protocol"))
    headers.set("sec-websocket-protocol", subprotocol);
};
