/** Redirects clients to another location, or from http to https. With `when`, other requests pass. */
import * as z from "zod";
import type { Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { redirectHandler } from "../gateway/service/direct-response.ts";
import {
  hasRedirectTarget,
  redirectSettings,
  redirectTarget,
  redirectTargetProblem,
  urlChangeKeys,
} from "../manifest/destinations.ts";

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "admission",
    schema: z
      .strictObject({
        ...redirectTarget(),
        https: z.literal(true).optional().describe("Redirects http requests to https; https requests pass"),
        ...redirectSettings(),
      })
      .refine(
        (it) => it.https === undefined || (it.to === undefined && urlChangeKeys.every((key) => it[key] === undefined)),
        "give `https` alone, or a target",
      )
      .refine((it) => it.https !== undefined || hasRedirectTarget(it), redirectTargetProblem),
    short: "to",
    example: { to: "/v2/accounts", status: 307 },
    codes: {},
    references: (it) =>
      (["to", "path"] as const).flatMap((key) => {
        const text = it[key];
        return text === undefined ? [] : [{ path: [key], text }];
      }),
    security: ({ to, scheme, host, query }) => ({ redirects: { to, scheme, host, query } }),
  });

export const make = ({ https, ...target }: Config<typeof spec>): Guard => {
  if (!https) return redirectHandler(target);
  const { status, query } = target;
  return (_, { url }) => {
    if (url.protocol !== "http:") return undefined;
    const search = query === "keep" ? url.search : "";
    return new Response(null, { status, headers: { location: `https://${url.hostname}${url.pathname}${search}` } });
  };
};
