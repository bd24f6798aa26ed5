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
            z.string().refine((text) => isEverybody(text) || wildcard.test(text) || isOrigin(text), {
              error: "an origin is a scheme, a host and perhaps a port: https://shop.example, https://*.shop.example",
            }),
          )
          .min(1)
          .describe(
            "Whose pages may read responses; `https://*.shop.example` for all beneath a host, `*` for everybody's",
          ),
        methods: z
          .array(z.string().regex(/^[A-Z]+$/, "a method, such as GET"))
          .optional()
          .describe("Methods that a page may use; without it, those that the route takes"),
        headers: z
          .union([z.literal("*"), z.array(headerName())], "a list of headers, or `*` for whichever a page asks for")
          .default(["authorization", "content-type"])
          .describe("Request headers that a page may set; `*` for whichever it asks for"),
        expose: z
          .union([z.literal("*"), z.array(headerName())], "a list of headers, or `*`")
          .default(["x-request-id"])
          .describe("Response headers that a page may read; `*` for all, of requests without credentials"),
        credentials: z
          .union([z.boolean(), z.literal("everybody")], "credentials are true, false or everybody")
          .default(false)
          .describe(
            'Whether cookies may come along; `everybody` allows it to all pages in the world, which `origins: ["*"]` needs',
          ),
        "max-age": duration().default("5m").describe("How long a browser may keep a preflight's answer"),
      })
      .refine(({ origins, credentials }) => credentials !== true || !origins.some(isEverybody), {
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

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const isEverybody = (text: string): boolean => /^(?:https?:\/\/)?\*$/.test(text);

/** All beneath a host, perhaps with a port. */
const wildcard = /^https?:\/\/\*(?:\.[a-z0-9-]+)+(?::\d{1,5})?$/;

export const make = (config: Config<typeof spec>): Guard => {
  const { credentials, expose, headers, methods, origins } = config;
  const named = new Set(origins);
  const anyone = named.has("*");
  const beneath = origins.filter((it) => it !== "*" && it.includes("*")).map(patternOf);
  // With credentials, `*` is nobody's (Fetch, CORS protocol and credentials).
  const star = anyone && !credentials;
  const grants: readonly HeaderEdit[] = [
    only("access-control-allow-credentials", credentials ? "true" : ""),
    only("access-control-expose-headers", expose === "*" ? "*" : expose.join(", ")),
  ];
  const maxAge = String(milliseconds(config["max-age"]) / 1000);

  return (request, context) => {
    if (!star) context.inbound.push(["append", "vary", "origin"]);
    const origin = request.headers.get("origin");
    if (origin === null || !(anyone || named.has(origin) || beneath.some((it) => it.test(origin)))) {
      context.inbound.push(...refusal);
      return undefined;
    }
    context.inbound.push(["set", "access-control-allow-origin", star ? "*" : origin], ...grants);
    const method = request.headers.get("access-control-request-method");
    if (request.method !== "OPTIONS" || method === null) return undefined;
    const sets = headers === "*" ? asked(request) : headers.join(", ");
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": methods?.join(", ") ?? method,
        ...(sets !== "" && { "access-control-allow-headers": sets }),
        "access-control-max-age": maxAge,
      },
    });
  };
};

/** The headers that a page asks for, as far as they are names. */
const asked = ({ headers }: Request): string => {
  const names = headers.get("access-control-request-headers") ?? "";
  return /^[A-Za-z0-9-]+(?: *, *[A-Za-z0-9-]+)*$/.test(names) && names.length <= 1024 ? names : "";
};

const patternOf = (origin: string): RegExp => {
  const [scheme = "", host = ""] = origin.split("*").map((text) => text.replaceAll(".", "\\."));
  return new RegExp(`^${scheme}[a-z0-9.-]+${host}${host === "" ? "(?::\\d+)?" : ""}$`);
};
