/** Sets the headers that make browsers careful with a response: Hono's `secureHeaders`. */
import { secureHeaders } from "hono/secure-headers";
import * as z from "zod";
import { fromHono } from "../gateway/hono.ts";
import { aboutFilter, type Config } from "../gateway/part.ts";
import type { Layer } from "../gateway/types.ts";

const header = (standard: string) =>
  z
    .union(
      [z.literal(false), z.string().regex(/^[\x20-\x7e]{1,1000}$/, "a header's value is one line of ASCII")],
      "a value, or false for none",
    )
    .default(standard);

export const spec = () =>
  aboutFilter({
    kind: "layer",
    phase: "content",
    schema: z.strictObject({
      "strict-transport-security": header("max-age=15552000; includeSubDomains").describe("Only https from now on"),
      "x-content-type-options": header("nosniff").describe("No guessing of types"),
      "x-frame-options": header("SAMEORIGIN").describe("Who may show it in a frame"),
      "referrer-policy": header("no-referrer").describe("What is told to the next page"),
      "cross-origin-resource-policy": header("same-origin").describe("Who may embed it"),
      "cross-origin-opener-policy": header("same-origin").describe("Who shares its window"),
    }),
    example: { "x-frame-options": "DENY", "cross-origin-resource-policy": false },
    codes: {},
  });

export const make = (config: Config<typeof spec>): Layer =>
  fromHono(
    secureHeaders({
      strictTransportSecurity: config["strict-transport-security"],
      xContentTypeOptions: config["x-content-type-options"],
      xFrameOptions: config["x-frame-options"],
      referrerPolicy: config["referrer-policy"],
      crossOriginResourcePolicy: config["cross-origin-resource-policy"],
      crossOriginOpenerPolicy: config["cross-origin-opener-policy"],
    }),
    (error) => {
      // It refuses nobody.
      throw error;
    },
  );
