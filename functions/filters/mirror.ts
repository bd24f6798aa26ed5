/** Sends a copy of requests, or of a share of them, to another service. The gate does not wait for its response, and its failure changes nothing. */
import * as z from "zod";
import { bytes, milliseconds, share as shareOf } from "../gateway/core/quantities.ts";
import type { Context, Deps, FilterInstance, Layer } from "../gateway/core/types.ts";
import { withTimeout } from "../gateway/core/with-timeout.ts";
import { hasIpHost } from "../gateway/http/hosts.ts";
import { preflightMethod } from "../gateway/http/preflight.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { isWebSocketRequest, setForwardingHeaders } from "../gateway/proxy/forwarding.ts";
import { readBody } from "../gateway/proxy/request-body.ts";
import { announcedLength, applyEdits, hasBody, targetOf } from "../gateway/proxy/send.ts";
import { duration, percent, size } from "../manifest/quantities.ts";

export const spec = () =>
  defineFilter({
    kind: "layer",
    phase: "traffic",
    schema: z.strictObject({
      to: z
        .url({ protocol: /^https?$/, error: "a service's URL begins with http:// or https://" })
        .refine((url) => !hasIpHost(url), "a name, not an IP address: the platform's fetch refuses addresses")
        .refine((url) => !/[?#@]/.test(url), "a base URL has no user, query or fragment")
        .describe("Base URL of the service that receives the copies, including the client's credentials"),
      share: percent().default("100%").describe("Share of requests that are copied, chosen at random"),
      "max-body": size()
        .default("64KiB")
        .describe(
          "The largest body that is copied; requests with a larger body, or one of unknown length, are not copied",
        ),
      timeout: duration()
        .refine((text) => !/^0+\D/.test(text), "a timeout is longer than nothing")
        .default("5s")
        .describe("Timeout of a copy"),
    }),
    short: "to",
    example: { to: "https://orders-next.acme.example", share: "10%" },
    codes: {},
    connections: () => 1,
    calls: ({ to }) => [to],
    sendsCopies: ({ share }) => share,
    scales: { share: "larger-share-is-weaker", "max-body": "larger-is-weaker" },
  });

/** The most copies in flight, per isolate. Requests beyond it are not copied. */
const maxInFlight = 100;

export const make = (config: Config<typeof spec>, deps: Deps, instance: FilterInstance): Layer => {
  const base = config.to.replace(/\/$/, "");
  const share = shareOf(config.share);
  const maxBodyBytes = bytes(config["max-body"]);
  const timeoutMs = milliseconds(config.timeout);
  let inFlight = 0;

  const send = async (copy: Request, context: Context): Promise<void> => {
    inFlight++;
    try {
      const response = await withTimeout(timeoutMs, deps, (signal) => deps.fetch(copy, { signal }));
      await response.body?.cancel();
    } catch (cause) {
      const { tier, name: route } = context.route;
      const message = cause instanceof Error ? cause.message : String(cause);
      const request = context.caller.requestId;
      deps.log({ type: "mirror-failed", tier, route, filter: instance.id, cause: message.slice(0, 300), request });
    } finally {
      inFlight--;
    }
  };

  return (next) => async (request, context) => {
    const chosen = preflightMethod(request) === null && (share >= 1 || deps.random() < share);
    if (!chosen) return next(request, context);
    if (inFlight >= maxInFlight || !isCopyable(request, maxBodyBytes)) {
      context.outcome.degraded = [...(context.outcome.degraded ?? []), instance.id];
      return next(request, context);
    }
    const body = hasBody(request) ? await readBody(request, context, deps) : undefined;
    const copy = copyOf(base, request, body, context);
    deps.defer(() => send(copy, context));
    return next(request, context);
  };
};

/** Whether a request can be copied: its body is small and of known length, and it is no WebSocket handshake. */
const isCopyable = (request: Request, maxBodyBytes: number): boolean => {
  if (isWebSocketRequest(request)) return false;
  if (!hasBody(request)) return true;
  const length = announcedLength(request);
  return length !== undefined && length <= maxBodyBytes && request.method !== "GET" && request.method !== "HEAD";
};

/** The request as the filters ahead have changed it. */
const copyOf = (base: string, { method, headers }: Request, body: Uint8Array | undefined, context: Context) => {
  const init = body?.byteLength ? { body: body as BodyInit } : {};
  const copy = new Request(base + targetOf(context), { method, headers, redirect: "manual", ...init });
  setForwardingHeaders(copy.headers, context.caller, context.url, context.settings?.accepted);
  applyEdits(copy.headers, context.outbound);
  return copy;
};
