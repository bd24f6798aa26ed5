/** Answers preflights and lets pages of the named origins read responses, refusals included. */
import * as z from "zod";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { duration, milliseconds } from "../gateway/quantities.ts";
import type { Guard, HeaderEdit } from "../gateway/types.ts";

const headerName = () => z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name");

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "admission",
    // A preflight brings no credentials, and a refusal without CORS headers is unreadable to the page.
    ahead: ["identity", "access", "limits"],
    schema: z
      .strictObject({
        origins: z
          .array(
            z.string().refine((text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text), {
              error: "an origin is a scheme, a host and perhaps a port: https://shop.example",
            }),
          )
          .min(1)
          .describe("Whose pages may read responses; `*` for everybody's"),
        headers: z
          .array(headerName())
          .default(["authorization", "content-type"])
          .describe("Request headers that a page may set"),
        expose: z.array(headerName()).default(["x-request-id"]).describe("Response headers that a page may read"),
        credentials: z.boolean().default(false).describe("Whether cookies may come along"),
        "max-age": duration().default("5m").describe("How long a browser may keep a preflight's answer"),
      })
      .refine(({ origins, credentials }) => !(credentials && origins.includes("*")), {
        error: "credentials for everybody's pages: name the origins",
        path: ["credentials"],
      }),
    example: { origins: ["https://shop.example"], "max-age": "10m" },
    codes: {},
  });

/** What may be read is said here alone, whatever the service grants. */
const refusal: readonly HeaderEdit[] = [
  ["delete", "access-control-allow-origin"],
  ["delete", "access-control-allow-credentials"],
  ["delete", "access-control-expose-headers"],
];

/** Sets a header, or leaves none where it has no value. */
const only = (name: string, value: string): HeaderEdit => (value === "" ? ["delete", name] : ["set", name, value]);

export const make = (config: Config<typeof spec>): Guard => {
  const { credentials, expose, headers, origins } = config;
  const named = new Set(origins);
  const anyone = named.has("*");
  const grants: readonly HeaderEdit[] = [
    only("access-control-allow-credentials", credentials ? "true" : ""),
    only("access-control-expose-headers", expose.join(", ")),
  ];
  const maxAge = String(milliseconds(config["max-age"]) / 1000);

  return (request, context) => {
    if (!anyone) context.inbound.push(["append", "vary", "origin"]);
    const origin = request.headers.get("origin");
    if (origin === null || !(anyone || named.has(origin))) {
      context.inbound.push(...refusal);
      return undefined;
    }
    context.inbound.push(["set", "access-control-allow-origin", anyone ? "*" : origin], ...grants);
    const method = request.headers.get("access-control-request-method");
    if (request.method !== "OPTIONS" || method === null) return undefined;
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": method,
        "access-control-allow-headers": headers.join(", "),
        "access-control-max-age": maxAge,
      },
    });
  };
};
