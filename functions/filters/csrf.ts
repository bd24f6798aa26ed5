/** Refuses cross-site form submissions: Hono's `csrf`. */
import { csrf } from "hono/csrf";
import * as z from "zod";
import { type Codes, refuse } from "../gateway/core/problems.ts";
import type { Deps, FilterInstance, Layer } from "../gateway/core/types.ts";
import { fromHono } from "../gateway/hono-adapter.ts";
import { type Config, defineFilter } from "../gateway/part.ts";

const codes = {
  "cross-site-refused": { status: 403, title: "Cross-site request refused" },
} as const satisfies Codes;

export const spec = () =>
  defineFilter({
    kind: "layer",
    phase: "admission",
    schema: z.strictObject({
      origins: z
        .array(
          z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
            error: "an origin is a scheme, a host and perhaps a port: https://shop.example",
          }),
        )
        .min(1)
        .describe("Origins whose pages may submit forms, besides the API's own origin (`Sec-Fetch-Site: same-origin`)"),
    }),
    example: { origins: ["https://shop.example"] },
    codes,
    keysOfCode: { "cross-site-refused": ["origins"] },
    scales: { origins: { allows: "items", absent: "nothing" } },
    security: () => ({ refusesForgery: true }),
    examples: {
      "cross-site-refused": {
        filters: "- csrf:\n    origins: [https://shop.example] #!\n",
        method: "POST",
        step: "send: { request: POST /a, text: a=1, headers: { content-type: application/x-www-form-urlencoded, origin: https://evil.example } }",
      },
    },
  });

export const make = ({ origins }: Config<typeof spec>, _: Deps, { id }: FilterInstance): Layer =>
  fromHono(csrf({ origin: [...origins] }), id, (_error, context) => refuse(context, codes, "cross-site-refused"));
