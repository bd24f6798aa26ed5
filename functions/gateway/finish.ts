/** Makes of a service's or a filter's response the one that the client is sent. */
import { getFact, Subprotocol } from "./core/facts.ts";
import type { Context } from "./core/types.ts";
import { applyEdits } from "./proxy/send.ts";

/** The response's one copy, with the edits that filters recorded. */
export const finishResponse = (response: Response, context: Context): Response => {
  const copy = new Response(response.body, response);
  const { headers } = copy;
  applyEdits(headers, context.inbound);
  if (copy.status === 101) setSubprotocol(headers, context);
  headers.set("x-request-id", context.caller.requestId);
  return copy;
};

/** The service never saw an entry that held the token, so it could not choose it; a browser closes what nobody has chosen. */
const setSubprotocol = (headers: Headers, context: Context): void => {
  const subprotocol = getFact(context, Subprotocol);
  if (subprotocol !== undefined && !headers.has("sec-websocket-protocol"))
    headers.set("sec-websocket-protocol", subprotocol);
};
