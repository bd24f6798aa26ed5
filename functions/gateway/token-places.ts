/** The schema of where a request may carry its token. */
import * as z from "zod";

/** Framing and routing belong to the runtime, and the front removes the gateway's own; two of these have places of their own. */
const notHere =
  /^(?:host|content-length|content-type|transfer-encoding|connection|upgrade|cookie|sec-websocket-.*|x-forwarded-.*|x-postern-.*|cloudflare-workers-.*|proxy-.*)$/;

export const tokenPlace = () =>
  z
    .string()
    .regex(
      /^(?:header\.[a-z0-9-]{1,64}|cookie\.[\w-]{1,64}|query\.[\w.-]{1,64}|subprotocol(?:\.[\w!#$%&'*+.^`|~-]{1,128})?)$/,
      "a place is header.authorization, cookie.<name>, query.<name>, subprotocol or subprotocol.<name>",
    )
    .refine((text) => !notHere.test(text.replace(/^header\./, "")), "no client's token stands in this header");

export const tokenPlaces = () =>
  z.union([tokenPlace(), z.array(tokenPlace()).min(1).max(4)], "a place such as cookie.session, or a list of them");
