/** Refuses request bodies above a size: before the service is called if the length is announced, else while the body streams. */
import * as z from "zod";
import { BodyLimit, setFact } from "../gateway/core/facts.ts";
import { refuse, upstreamCodes } from "../gateway/core/problems.ts";
import { bytes } from "../gateway/core/quantities.ts";
import type { Guard } from "../gateway/core/types.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { announcedLength, bodyLimitDetail } from "../gateway/proxy/send.ts";
import { size } from "../manifest/quantities.ts";

const codes = { "body-too-large": upstreamCodes["body-too-large"] };

export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "admission",
    enforcing: "tightens",
    schema: z.strictObject({ max: size().describe("The largest body; it replaces the tier's `limits.body`") }),
    short: "max",
    example: { max: "16KiB" },
    codes,
    keysOfCode: { "body-too-large": ["max"] },
    boundsBody: true,
    scales: { max: "larger-is-weaker" },
    security: ({ max }) => ({ bodyLimit: max }),
    examples: {
      "body-too-large": {
        filters: "- body-limit: 1KiB\n- body-limit: 4B #!\n  id: small\n",
        method: "POST",
        step: "send: { request: POST /a, text: more than four }",
      },
    },
  });

export const make = ({ max }: Config<typeof spec>): Guard => {
  const limit = bytes(max);
  return (request, context) => {
    setFact(context, BodyLimit, limit);
    if ((announcedLength(request) ?? 0) <= limit) return undefined;
    return refuse(context, codes, "body-too-large", bodyLimitDetail(limit));
  };
};
