/** Schemas of destinations: `to`, `respond` and `redirect`. */
import * as z from "zod";
import { parseLocation, parsePathTemplate } from "../gateway/core/references.ts";
import { freeHeaderName, host, name } from "./names.ts";
import { prefixes } from "./prefixes.ts";
import { checkWith } from "./refine.ts";

/** `[{ accounts: 90 }, { accounts-next: 10 }]` */
export const weighted = () =>
  z
    .array(
      z
        .record(
          name(),
          z.int("a weight is a whole number").min(0, "a weight is 0 or more").max(10_000, "a weight is 10000 at most"),
        )
        .refine((it) => Object.keys(it).length === 1, "an upstream and its weight: `- accounts: 90`"),
    )
    .min(2, "a weighted list names two upstreams or more")
    .max(16, "a weighted list names 16 upstreams at most")
    .refine((all) => all.some((it) => Object.values(it).some((weight) => weight > 0)), "all weights are 0");

export const respond = () =>
  z
    .strictObject({
      status: z
        .int("a status is a whole number")
        .min(200, "a status is 200 to 599")
        .max(599, "a status is 200 to 599")
        .default(200)
        .describe("Of the response"),
      headers: z
        .record(freeHeaderName(), z.string().regex(/^[\x20-\x7e]*$/, "a header's value is one line of ASCII"))
        .default({})
        .describe("Of the response"),
      text: z
        .string()
        .max(16_384, "a body in a manifest has at most 16384 characters")
        .optional()
        .describe("The body, as text"),
      json: z.json().optional().describe("The body, as JSON"),
    })
    .refine(({ text, json }) => text === undefined || json === undefined, "give `text` or `json`, not both")
    .refine(({ status, text, json }) => ![204, 205, 304].includes(status) || (text ?? json) === undefined, {
      error: "a response with this status has no body",
      path: ["status"],
    });

/** Status and query of a redirect. */
export const redirectSettings = () => ({
  status: z
    .literal([301, 302, 303, 307, 308])
    .default(308)
    .describe("Status of the redirect. 307 and 308 keep the method; clients cache 301 and 308"),
  query: z.enum(["keep", "drop"]).default("keep").describe("Whether the request's query is kept"),
});

/** The target of a redirect: a location, or changes of the request's own URL. */
export const redirectTarget = () => ({
  to: z
    .string()
    .superRefine(checkWith(parseLocation))
    .optional()
    .describe("The target, which may hold references: `/v2/accounts/{path.id}`"),
  scheme: z
    .enum(["http", "https"])
    .optional()
    .describe("In place of the request's own; its port is then the usual one"),
  host: host().optional().describe("In place of the request's own"),
  port: z
    .int("a port is a whole number")
    .min(1, "a port is 1 to 65535")
    .max(65_535, "a port is 1 to 65535")
    .optional()
    .describe("In place of the request's own"),
  path: z
    .string()
    .superRefine(checkWith(parsePathTemplate))
    .regex(/^\/[^?#\s\\]*$/, "a path begins with / and has no query")
    .optional()
    .describe("In place of the request's own path, which may hold references"),
  ...prefixes(),
});

export const urlChangeKeys = ["scheme", "host", "port", "path", "strip-prefix", "put-prefix"] as const;

type RedirectKeys = { readonly [key in "to" | (typeof urlChangeKeys)[number]]?: unknown };

/** Whether the target is complete: `to` alone, or changes of the request's own URL. */
export const hasRedirectTarget = (it: RedirectKeys): boolean => {
  if (it.to !== undefined) return urlChangeKeys.every((key) => it[key] === undefined);
  const prefixed = (it["strip-prefix"] ?? it["put-prefix"]) !== undefined;
  return urlChangeKeys.some((key) => it[key] !== undefined) && !(it.path !== undefined && prefixed);
};

export const redirectTargetProblem =
  "give `to`, or changes of the request's own URL; of the path either `path` or prefixes";

export const redirect = () =>
  z.union(
    [
      z
        .string()
        .superRefine(checkWith(parseLocation))
        .describe("The target, which may hold references: `/v2/accounts/{path.id}`"),
      z.strictObject({ ...redirectTarget(), ...redirectSettings() }).refine(hasRedirectTarget, redirectTargetProblem),
    ],
    "where to, such as /v2/accounts/{path.id}, or { to: …, status: … }",
  );
