/** Calls another Worker of the account through a service binding: no network, no public address. */
import * as z from "zod";
import { getFact, Target } from "../gateway/core/facts.ts";
import { upstreamCodes } from "../gateway/core/problems.ts";
import type { Context, Deps, Handler } from "../gateway/core/types.ts";
import { type Config, defineUpstream } from "../gateway/part.ts";
import { send, targetOf } from "../gateway/proxy/send.ts";
import { location, type WithOptionalLocation } from "../manifest/location.ts";

export const spec = () =>
  defineUpstream({
    kind: "upstream",
    schema: z.strictObject({
      service: z
        .string()
        .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "a Worker's name: lower case, digits and hyphens")
        .describe("Name of the Worker"),
      location: location(),
    }),
    short: "service",
    example: { service: "rates" },
    codes: upstreamCodes,
    bindings: ({ service }) => [{ kind: "service", binding: bindingOf(service), service }],
    scales: { location: { weakestFirst: ["keep", "rewrite"] } },
    security: ({ service }) => ({ worker: service }),
  });

const bindingOf = (service: string): string => `SERVICE_${service.toUpperCase().replaceAll("-", "_")}`;

export const make = (
  { service, location: locations }: WithOptionalLocation<Config<typeof spec>>,
  deps: Deps,
): Handler => {
  const worker = deps.env[bindingOf(service)] as Fetcher;
  if (!worker) throw new Error(`no service binding ${bindingOf(service)} to the Worker "${service}"`);
  return (request, context) =>
    // A binding needs a `Request`. The platform's `cf` properties are forwarded.
    send(
      originOf(context) + targetOf(context),
      request,
      context,
      (target, { signal, ...init }) => {
        const cf = request.cf as RequestInitCfProperties | undefined;
        const copy = new Request(target, cf ? { ...init, cf } : init);
        return worker.fetch(copy, signal ? { signal } : {});
      },
      locations,
    );
};

/**
 * The origin of the request. A service binding has no address: the host is the client's, or the one that a filter
 * sets.
 */
const originOf = (context: Context): string => {
  const host = getFact(context, Target)?.host;
  return host === undefined ? context.url.origin : `${context.url.protocol}//${host}`;
};
