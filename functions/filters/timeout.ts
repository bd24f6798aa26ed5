/** Bounds the time until the response headers of everything behind it. The body may keep streaming. */
import * as z from "zod";
import { type Codes, Fault } from "../gateway/core/problems.ts";
import { milliseconds } from "../gateway/core/quantities.ts";
import type { Deps, Layer } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { deadline } from "../gateway/service/timeout.ts";
import { duration } from "../manifest/quantities.ts";

const codes = {
  timeout: { status: 504, title: "Request timed out" },
} as const satisfies Codes;

export const spec = () =>
  defineFilter({
    kind: "layer",
    phase: "traffic",
    schema: z.strictObject({
      after: duration()
        .refine((text) => !/^0+\D/.test(text), "a timeout is longer than nothing")
        .describe("Time from this filter until the response headers"),
    }),
    short: "after",
    example: { after: "2s" },
    codes,
    keysOfCode: { timeout: ["after"] },
    scales: { after: "longer-is-weaker" },
    security: ({ after }) => ({ deadline: after }),
    examples: {
      timeout: {
        filters: "- timeout:\n    after: 100ms #!\n",
        step: "send: GET /a, upstream: { it: { replies: { after: 1500ms } } }",
      },
    },
  });

export const make = ({ after }: Config<typeof spec>, deps: Deps): Layer =>
  deadline(milliseconds(after), () => new Fault(codes, "timeout", { detail: `No response within ${after}` }), deps);
