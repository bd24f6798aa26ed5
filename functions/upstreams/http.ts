/** Calls a service over HTTP at a base URL, bodies streaming both ways. */
import * as z from "zod";
import { upstreamCodes } from "../gateway/faults.ts";
import { hasAddress } from "../gateway/hosts.ts";
import { send, targetOf } from "../gateway/outbound.ts";
import { aboutUpstream, type Config } from "../gateway/part.ts";
import type { Deps, Handler } from "../gateway/types.ts";

export const spec = () =>
  aboutUpstream({
    kind: "upstream",
    schema: z.strictObject({
      url: z
        .url({ protocol: /^https?$/, error: "a service's URL begins with http:// or https://" })
        .refine((url) => !hasAddress(url), "a name, not an IP address: the platform's fetch refuses addresses")
        .refine((url) => !/[?#@]/.test(url), "a base URL has no user, query or fragment")
        .describe("Base URL of the service; a path in it is put before every request's"),
    }),
    short: "url",
    example: { url: "https://accounts.acme.example" },
    codes: upstreamCodes,
  });

export const make = ({ url }: Config<typeof spec>, deps: Deps): Handler => {
  const base = url.replace(/\/$/, "");
  return (request, context) => send(base + targetOf(context), request, context, deps.fetch);
};
