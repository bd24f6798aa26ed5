/** Sends clients elsewhere, or from http to https. Put `when` beside it, and others pass. */
import * as z from "zod";
import { redirecting } from "../gateway/answers.ts";
import { explain } from "../gateway/complaint.ts";
import { redirectSettings } from "../gateway/goes.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import { locationOf } from "../gateway/references.ts";
import type { Guard } from "../gateway/types.ts";

export const spec = () =>
  aboutFilter({
    kind: "guard",
    phase: "admission",
    schema: z
      .strictObject({
        to: z
          .string()
          .superRefine(explain(locationOf))
          .optional()
          .describe("Where to, which may hold references: `/v2/accounts/{path.id}`"),
        https: z.literal(true).optional().describe("To the same place by https; who came by https passes"),
        ...redirectSettings(),
      })
      .refine(({ to, https }) => (to === undefined) !== (https === undefined), "give `to` or `https`"),
    short: "to",
    example: { to: "/v2/accounts", status: 307 },
    codes: {},
    references: ({ to }) => (to === undefined ? [] : [{ path: ["to"], text: to }]),
  });

export const make = ({ to, status, query }: Config<typeof spec>): Guard => {
  if (to !== undefined) return redirecting({ to, status, query });
  return (_, { url }) => {
    if (url.protocol !== "http:") return undefined;
    const search = query === "keep" ? url.search : "";
    return new Response(null, { status, headers: { location: `https://${url.hostname}${url.pathname}${search}` } });
  };
};
