/** Schema of a tier's `limits`. */
import * as z from "zod";
import { milliseconds, share } from "../gateway/core/quantities.ts";
import { duration, percent, size } from "./quantities.ts";

export const limits = () =>
  z.strictObject({
    body: size().default("10MiB").describe("The largest request body, where no body-limit says otherwise"),
    concurrency: z
      .int("a count is a whole number")
      .min(1, "a gate that takes no request is no gate")
      .max(100_000, "100000 at most")
      .optional()
      .describe("Requests under way at once; per isolate. By the level: core 2000, standard 1000, best-effort 250"),
    "concurrency-from": z
      .enum(["request", "body"], "request, or body")
      .default("request")
      .describe(
        "When a request begins to count for `concurrency`: as it comes, or once its body is complete, for a tier that takes large uploads; as many uploads besides may then be on their way",
      ),
    "client-share": percent()
      .refine((text) => share(text) > 0, "a client needs a share, or nobody is served: 25%")
      .default("25%")
      .describe(
        "The largest share of `concurrency` that one client holds at once, per isolate: a consumer, else an address (an IPv6 client is its /64). 25% of 1000 is 250 requests, at 100 ms each 2500 a second; what is beyond is 429 `client-busy`. Raise it where many users whom no filter identifies share an address (a NAT, a company's proxy, another CDN), to the requests that come from there per second times the seconds each takes, over `concurrency`; `100%` for no such bound. One request at least",
      ),
    "body-idle": duration()
      .refine((text) => milliseconds(text) >= 1000 && milliseconds(text) <= 300_000, "1s to 5m")
      .default("10s")
      .describe(
        "The longest that a client may send nothing while its body is awaited; one of up to 16 KiB arrives whole within it",
      ),
    "stream-age": duration()
      .optional()
      .describe(
        "The longest that a response of unknown length may go on, up to a tenth less for each; events end between two of them, other bodies are cut; the gate then copies such bodies itself; not of WebSockets",
      ),
    cpu: duration()
      .refine((text) => /^(?:[1-9]\d*)(?:ms|s|m)$/.test(text), "CPU time is 1ms to 5m")
      .optional()
      .describe("CPU time of a request; the platform's default is 30s"),
    "sub-requests": z
      .int("a count is a whole number")
      .min(1, "a gate needs one to reach its upstream")
      .max(10_000, "10000 at most")
      .optional()
      .describe("Calls that one request may make; the platform's default is 1000"),
  });
