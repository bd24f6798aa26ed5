/** Schema of a tier's `limits`. */
import * as z from "zod";
import { milliseconds, share } from "../gateway/core/quantities.ts";
import { duration, percent, size } from "./quantities.ts";

export const limits = () =>
  z.strictObject({
    body: size().default("10MiB").describe("The largest request body, unless a body-limit sets another"),
    concurrency: z
      .int("a count is a whole number")
      .min(1, "at least 1")
      .max(100_000, "100000 at most")
      .optional()
      .describe("Concurrent requests, per isolate. By default by level: core 2000, standard 1000, best-effort 250"),
    "concurrency-from": z
      .enum(["request", "body"], "request, or body")
      .default("request")
      .describe(
        "When a request begins to count for `concurrency`: on arrival, or once its body is complete, for tiers with large uploads; the same number of uploads may then arrive in addition",
      ),
    "client-share": percent()
      .refine((text) => share(text) > 0, "the share is more than 0: 25%")
      .default("25%")
      .describe(
        "The largest share of `concurrency` of one client, per isolate: a consumer, else an address (an IPv6 client is its /64). 25% of 1000 is 250 requests, at 100 ms each 2500 a second; more are refused with 429 `client-busy`. Raise it when many users without identification share an address (a NAT, a company's proxy, another CDN), to the requests that come from there per second times the seconds each takes, over `concurrency`; `100%` for no such bound. One request at least",
      ),
    "body-idle": duration()
      .refine((text) => milliseconds(text) >= 1000 && milliseconds(text) <= 300_000, "1s to 5m")
      .default("10s")
      .describe(
        "The longest pause of a client while its body is awaited; a body of up to 16 KiB must arrive within it",
      ),
    "stream-age": duration()
      .optional()
      .describe(
        "Maximum age of a response of unknown length; each ends up to a tenth earlier. Event streams end between two events, other bodies are cut off. The gate copies such bodies itself. Not for WebSockets",
      ),
    "response-idle": duration()
      .refine((text) => milliseconds(text) >= 1000 && milliseconds(text) <= 3_600_000, "1s to 1h")
      .optional()
      .describe(
        "The longest pause of a service within the body of its response; the body is then cut off, and counts as an error of the service. Not for event streams, compressed bodies and WebSockets. The gate copies bodies itself, which costs a small response half to two thirds of what a gate does for it. By default bodies are only measured, during rollouts",
      ),
    "websocket-age": duration()
      .optional()
      .describe(
        "Maximum age of a WebSocket; each is closed up to a tenth earlier with 1012, service restart, so that its client connects again. The gate copies the messages itself. By default the runtime forwards them, and WebSockets continue",
      ),
    "websocket-bytes": size()
      .default("16MiB")
      .describe(
        "With `websocket-age`: what one direction of a WebSocket may carry, in bytes or characters of texts, at least 64 for each message, before it is closed with 1012. Bounds the memory that a client which does not read can take",
      ),
    cpu: duration()
      .refine((text) => /^(?:[1-9]\d*)(?:ms|s|m)$/.test(text), "CPU time is 1ms to 5m")
      .optional()
      .describe("CPU time of a request; the platform's default is 30s"),
    "sub-requests": z
      .int("a count is a whole number")
      .min(1, "at least 1, to reach the upstream")
      .max(10_000, "10000 at most")
      .optional()
      .describe("Subrequests of one request; the platform's default is 1000"),
  });
