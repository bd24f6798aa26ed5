/** Schemas of token sources and sizes. */
import * as z from "zod";
import { bytes } from "../gateway/core/quantities.ts";
import { authorization } from "../gateway/identity/token-sources.ts";
import { size } from "./quantities.ts";

/** Headers that the runtime uses, or that the front removes; two have sources of their own. */
const reservedHeaders =
  /^header\.(?:host|content-length|content-type|transfer-encoding|connection|upgrade|cookie|sec-websocket-.*|x-forwarded-.*|x-postern-.*|cloudflare-workers-.*|proxy-.*)$/;

export const tokenSource = () =>
  z
    .string()
    .regex(
      /^(?:header\.[a-z0-9-]{1,64}|cookie\.[\w-]{1,64}|query\.[\w.-]{1,64}|subprotocol(?:\.[\w!#$%&'*+.^`|~-]{1,128})?)$/,
      "a place is header.authorization, cookie.<name>, query.<name>, subprotocol or subprotocol.<name>",
    )
    .refine((text) => !reservedHeaders.test(text), "this header cannot carry a token");

export const tokenSources = () =>
  z
    .union([tokenSource(), z.array(tokenSource()).min(1).max(4)], "a place such as cookie.session, or a list of them")
    .default(authorization)
    .describe(
      "Sources of the token: `header.authorization` with `Bearer`, `header.<name>`, `cookie.<name>`, `query.<name>`, `subprotocol.<name>` (of a WebSocket: `<name>.<token>`, or `<name>, <token>`) or `subprotocol` (the entry that is a token). Of several sources the first with a token counts. All but `header.authorization` are removed before the request is forwarded",
    );

/** The platform refuses requests with larger headers. */
const maxSize = "64KiB";

export const tokenSize = () =>
  size()
    .refine((text) => bytes(text) > 0 && bytes(text) <= bytes(maxSize), `a token has ${maxSize} at most`)
    .default("8KiB")
    .describe(`Larger tokens are refused before they are parsed; ${maxSize} at most`);

/** A token source as an OpenAPI security scheme. */
export const securitySchemeOf = (place: string): object => {
  const [, kind = "", name = ""] = /^([a-z]+)\.?(.*)$/.exec(place) ?? [];
  if (place === authorization) return { type: "http", scheme: "bearer", bearerFormat: "JWT" };
  if (kind !== "subprotocol") return { type: "apiKey", in: kind, name, description: "A JWT" };
  const entry = name === "" ? "A JWT as an entry of its own" : `A JWT as the entry ${name}.<token>`;
  return { type: "apiKey", in: "header", name: "sec-websocket-protocol", description: entry };
};
