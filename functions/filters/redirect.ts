/** Sends clients elsewhere, or from http to https. Put `when` beside it, and others pass. */
import * as z from "zod";
import type { Guard } from "../gateway/core/types.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { redirecting } from "../gateway/service/direct-response.ts";
import { changeOfPlace, leadsAstray, leadsOn, redirectSettings, redirectWhere } from "../manifest/destinations.ts";

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "admission",
    schema: z
      .strictObject({
        ...redirectWhere(),
        https: z.literal(true).optional().describe("To the same place by https; who came by https passes"),
        ...redirectSettings(),
      })
      .refine(
        (it) => it.https === undefined || (it.to === undefined && changeOfPlace.every((key) => it[key] === undefined)),
        "give `https` alone, or where to",
      )
      .refine((it) => it.https !== undefined || leadsOn(it), leadsAstray),
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

export const make = ({ https, ...where }: Config<typeof spec>): Guard => {
  if (!https) return redirecting(where);
  const { status, query } = where;
  return (_, { url }) => {
    if (url.protocol !== "http:") return undefined;
    const search = query === "keep" ? url.search : "";
    return new Response(null, { status, headers: { location: `https://${url.hostname}${url.pathname}${search}` } });
  };
};
