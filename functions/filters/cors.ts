/** Answers CORS preflights and lets pages of the allowed origins read responses, refusals included. */
import * as z from "zod";
import { milliseconds } from "../gateway/core/quantities.ts";
import type { Context, Guard, HeaderEdit } from "../gateway/core/types.ts";
import { preflightMethod } from "../gateway/http/preflight.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { applyEdits } from "../gateway/proxy/send.ts";
import { duration } from "../manifest/quantities.ts";
import { rules } from "./cors/audit.ts";

const headerName = () => z.string().regex(/^[A-Za-z0-9-]+$/, "a header's name");

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "admission",
    // A preflight carries no credentials, and a page cannot read a refusal without CORS headers.
    precedes: ["identity", "access", "limits"],
    schema: z
      .strictObject({
        origins: z
          .array(
            z.string().refine((text) => isWildcard(text) || subdomainWildcard.test(text) || isOrigin(text), {
              error: "an origin is a scheme, a host and perhaps a port: https://shop.example, https://*.shop.example",
            }),
          )
          .min(1)
          .describe(
            "Origins whose pages may read responses; `https://*.shop.example` for all subdomains, `*` for any origin",
          ),
        methods: z
          .array(z.string().regex(/^[A-Z]+$/, "a method, such as GET"))
          .optional()
          .describe("Methods that a page may use; by default those of the route"),
        headers: z
          .union([z.literal("*"), z.array(headerName())], "a list of headers, or `*` for any that a page requests")
          .default(["authorization", "content-type"])
          .describe("Request headers that a page may set; `*` for any that it requests"),
        expose: z
          .union([z.literal("*"), z.array(headerName())], "a list of headers, or `*`")
          .default(["x-request-id"])
          .describe("Response headers that a page may read; `*` for all, on requests without credentials"),
        credentials: z
          .union([z.boolean(), z.literal("everybody")], "credentials are true, false or everybody")
          .default(false)
          .describe(
            'Whether requests may carry cookies; `everybody` allows it for pages of any origin, which `origins: ["*"]` requires',
          ),
        "max-age": duration()
          .default("5m")
          .describe("How long a browser may cache a preflight; in whole seconds, rounded down"),
      })
      .refine(({ origins, credentials }) => credentials !== true || !origins.some(isWildcard), {
        error: "credentials with any origin: name the origins",
        path: ["credentials"],
      }),
    example: { origins: ["https://shop.example"], "max-age": "10m" },
    codes: {},
    scales: {
      origins: { allows: "items", absent: "nothing" },
      methods: { allows: "items", absent: "everything" },
      headers: { allows: "items", absent: "nothing" },
      expose: { allows: "items", absent: "nothing" },
      credentials: { weakestFirst: ["everybody", true, false] },
    },
    security: ({ origins, credentials }) => ({ pages: { origins, credentials: credentials !== false } }),
    audit: rules,
  });

const allowOrigin = "access-control-allow-origin";
const exposed = "access-control-expose-headers";

/** Removes the service's own grants: only this filter decides who may read responses. */
const grantRemovals: readonly HeaderEdit[] = [
  ["delete", allowOrigin],
  ["delete", "access-control-allow-credentials"],
  ["delete", exposed],
];

/** Headers of the gate's own responses that a page needs to read. */
const localReplyHeaders = [
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  "allow",
  "www-authenticate",
  "accept-signature",
];

/** Sets a header, or deletes it when the value is empty. */
const setOrDelete = (name: string, value: string): HeaderEdit =>
  value === "" ? ["delete", name] : ["set", name, value];

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const isWildcard = (text: string): boolean => /^(?:https?:\/\/)?\*$/.test(text);

/** Every subdomain of a host, with an optional port. */
const subdomainWildcard = /^https?:\/\/\*(?:\.[a-z0-9-]+)+(?::\d{1,5})?$/;

export const make = (config: Config<typeof spec>): Guard => {
  const { expose, methods } = config;
  const editsFor = originEdits(config);
  // In whole seconds (Fetch, HTTP new-header syntax), never more than the manifest allows.
  const maxAge = String(Math.floor(milliseconds(config["max-age"]) / 1000));
  const allowedHeaders = (request: Request) =>
    config.headers === "*" ? requestedHeaders(request) : config.headers.join(", ");

  const guard = (request: Request, context: Context): Response | undefined => {
    const edits = editsFor(request);
    context.inbound.push(...edits);
    if (request.method !== "OPTIONS" || !isGranted(edits)) return undefined;
    const method = preflightMethod(request);
    if (method === null) return undefined;
    const names = allowedHeaders(request);
    return new Response(null, {
      status: 204,
      headers: {
        "access-control-allow-methods": methods?.join(", ") ?? method,
        ...(names !== "" && { "access-control-allow-headers": names }),
        "access-control-max-age": maxAge,
      },
    });
  };

  const complete = (request: Request, { inbound, route }: Context, headers: Headers): void => {
    if (!inbound.some(([, name]) => name === allowOrigin)) applyEdits(headers, editsFor(request));
    if (!headers.has(allowOrigin)) return;
    for (const name of expose.length > 0 ? localReplyHeaders : [])
      if (headers.has(name)) applyEdits(headers, [["merge", exposed, name]]);
    const method = preflightMethod(request);
    if (method === null) return;
    const names = allowedHeaders(request);
    if (names !== "") headers.set("access-control-allow-headers", names);
    // A path without a route is answered with a problem whatever the method. Otherwise Allow lists the methods.
    if (route.name === "" && !headers.has("allow"))
      headers.set("access-control-allow-methods", methods?.join(", ") ?? method);
  };

  return Object.assign(guard, {
    localReply: { complete, grantsPreflight: (request: Request) => isGranted(editsFor(request)) },
  });
};

const isGranted = (edits: readonly HeaderEdit[]): boolean =>
  edits.some(([op, name]) => op === "set" && name === allowOrigin);

/** Compiles the header edits for the origin of a request. */
const originEdits = ({
  credentials,
  expose,
  origins,
}: Config<typeof spec>): ((request: Request) => readonly HeaderEdit[]) => {
  const rest: readonly HeaderEdit[] = [
    setOrDelete("access-control-allow-credentials", credentials ? "true" : ""),
    setOrDelete(exposed, expose === "*" ? "*" : expose.join(", ")),
  ];
  const named = new Set(origins);
  const allowsAny = named.has("*");
  // Sent to every client, even without an Origin header, so that a cache stores one response for all (Fetch, CORS
  // protocol and HTTP caches). With credentials `*` matches nothing (Fetch, CORS protocol and credentials).
  if (allowsAny && !credentials) {
    const edits: readonly HeaderEdit[] = [["set", allowOrigin, "*"], ...rest];
    return () => edits;
  }
  const wildcardPatterns = origins.filter((it) => it !== "*" && it.includes("*")).map(patternOf);
  const varies: HeaderEdit = ["merge", "vary", "origin"];
  const notGranted = [varies, ...grantRemovals];
  return ({ headers }) => {
    const origin = headers.get("origin");
    if (origin === null || !(allowsAny || named.has(origin) || wildcardPatterns.some((it) => it.test(origin))))
      return notGranted;
    return [varies, ["set", allowOrigin, origin], ...rest];
  };
};

/** A comma-separated list of tokens (RFC 9110, section 5.6.2). */
const listOfNames = /^[\w!#$%&'*+.^`|~-]+(?: *, *[\w!#$%&'*+.^`|~-]+)*$/;

/** The headers that a preflight requests; empty when the list is malformed. */
const requestedHeaders = ({ headers }: Request): string => {
  const names = headers.get("access-control-request-headers") ?? "";
  return names.length <= 1024 && listOfNames.test(names) ? names : "";
};

const patternOf = (origin: string): RegExp => {
  const [scheme = "", host = ""] = origin.split("*").map((text) => text.replaceAll(".", "\\."));
  return new RegExp(`^${scheme}[a-z0-9.-]+${host}${host === "" ? "(?::\\d+)?" : ""}$`);
};
