/** Calls a service over HTTP at a base URL. Bodies stream both ways. */
import * as z from "zod";
import { upstreamCodes } from "../gateway/core/problems.ts";
import { secretOf } from "../gateway/core/secrets.ts";
import type { Context, Deps, Handler, HeaderEdit } from "../gateway/core/types.ts";
import { hasIpHost } from "../gateway/http/hosts.ts";
import { type Config, defineUpstream } from "../gateway/part.ts";
import { signer } from "../gateway/proxy/message-signature.ts";
import { send, type Transport, targetOf } from "../gateway/proxy/send.ts";
import { location as locationKey, type WithOptionalLocation } from "../manifest/location.ts";
import { freeHeaderName } from "../manifest/names.ts";
import { secret } from "../manifest/secret.ts";

export const spec = () =>
  defineUpstream({
    kind: "upstream",
    schema: z.strictObject({
      url: z
        .url({ protocol: /^https?$/, error: "a service's URL begins with http:// or https://" })
        .refine((url) => !hasIpHost(url), "a name, not an IP address: the platform's fetch refuses addresses")
        .refine((url) => !/[?#@]/.test(url), "a base URL has no user, query or fragment")
        .describe("Base URL of the service; its path is a prefix of every request's"),
      headers: z
        .strictObject({
          set: headerValues().describe("Headers and their values"),
          add: headerValues().describe("Headers and one more value of each"),
          remove: z.array(freeHeaderName()).default([]).describe("Headers to remove"),
        })
        .optional()
        .describe("Edits of each request to this service, after all filters"),
      location: locationKey(),
      sign: secret()
        .optional()
        .describe(
          "Signs method, path, query and request id of each request (RFC 9421, hmac-sha256), so that the service can verify that it came through the gate",
        ),
    }),
    short: "url",
    example: { url: "https://accounts.acme.example", sign: { secret: "ACCOUNTS_SIGNING_KEY" } },
    codes: upstreamCodes,
    secrets: ({ sign }) => (sign ? [sign.secret] : []),
    scales: { location: { weakestFirst: ["keep", "rewrite"] } },
    security: ({ url, location, sign }) => ({
      endpoint: { url, key: "url" },
      exposesAddress: location === "keep" ? "location" : undefined,
      proof: sign ? "sign" : undefined,
    }),
  });

/** Constant values. Values of the request are set by filters. */
const headerValues = () =>
  z.record(freeHeaderName(), z.string().regex(/^[\x20-\x7e]*$/, "a header's value is one line of ASCII")).default({});

export const make = (
  { url, headers, sign, location }: WithOptionalLocation<Config<typeof spec>>,
  deps: Deps,
): Handler => {
  const base = url.replace(/\/$/, "");
  const transportFor: (context: Context) => Transport = sign ? signingTransport(sign.secret, deps) : () => deps.fetch;
  const call: Handler = (request, context) =>
    send(base + targetOf(context), request, context, transportFor(context), location);
  const edits = headers ? editsOf(headers) : [];
  return edits.length === 0
    ? call
    : (request, context) => call(request, { ...context, outbound: [...context.outbound, ...edits] });
};

const editsOf = ({ set, add, remove }: NonNullable<Config<typeof spec>["headers"]>): HeaderEdit[] => [
  ...remove.map((name) => ["delete", name] as const),
  ...Object.entries(set).map(([name, value]) => ["set", name, value] as const),
  ...Object.entries(add).map(([name, value]) => ["append", name, value] as const),
];

/** Signs last, after all edits, so that no filter can change the signature or what it covers. */
const signingTransport = (name: string, deps: Deps): ((context: Context) => Transport) => {
  const signRequest = signer(name, secretOf(name, deps), deps.now);
  return ({ caller }) =>
    async (target, { signal, ...init }) => {
      const copy = new Request(target, init);
      // A filter may change the request id, but the signature needs one.
      if (!copy.headers.get("x-request-id")) copy.headers.set("x-request-id", caller.requestId);
      await signRequest(copy);
      return deps.fetch(copy, signal ? { signal } : {});
    };
};
