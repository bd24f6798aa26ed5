/** Limits requests by consumer, client address or another key, and reports the limit in RateLimit headers. */
import * as z from "zod";
import { isClaim } from "../gateway/core/claims.ts";
import type { LimitCounter, LimitRule, LimitVerdict, ScriptStore, StoreLimiter } from "../gateway/core/ports/limits.ts";
import { type Codes, refuse } from "../gateway/core/problems.ts";
import { milliseconds, requestsPerWindow, share } from "../gateway/core/quantities.ts";
import { secretOf } from "../gateway/core/secrets.ts";
import type { Context, Deps, FilterInstance, Guard } from "../gateway/core/types.ts";
import { type LimitWithFallback, withFallback } from "../gateway/limits/fallback.ts";
import { limitKeyOf, referenceOf } from "../gateway/limits/keys.ts";
import { type LeaseOptions, leasedLimit } from "../gateway/limits/leases.ts";
import { localLimit } from "../gateway/limits/local-counter.ts";
import { redisRestStore } from "../gateway/limits/redis-store.ts";
import { stateStore } from "../gateway/limits/state-store.ts";
import { type Config, defineFilter } from "../gateway/part.ts";
import { duration, percent, rate } from "../manifest/quantities.ts";
import { secret } from "../manifest/secret.ts";
import { hooks } from "./rate-limit/hooks.ts";

const codes = {
  "rate-limited": { status: 429, title: "Too many requests" },
  "limit-unavailable": { status: 503, title: "Rate limit unavailable" },
} as const satisfies Codes;

const key = () =>
  z
    .string()
    .regex(/^(?:ip|consumer|route|tier|header\.[A-Za-z0-9_.:-]{1,64}|claim\.\S{1,128})$/, {
      error: "one of ip, consumer, route, tier, header.<name>, claim.<name>",
      abort: true,
    })
    .refine(
      (text) => !text.startsWith("claim.") || isClaim(text.slice("claim.".length)),
      "a claim is written as claim.tenant, claim.user.id, or claim.https://acme.example/tenant",
    );

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one declaration: the schema and the hooks of the filter
export const spec = () =>
  defineFilter({
    kind: "guard",
    phase: "limits",
    enforcing: "tightens",
    schema: z
      .strictObject({
        limit: z
          .union([rate(), z.array(rate()).min(1).max(4)], "a rate, or several: 100/s, [100/s, 5000/day]")
          .describe("Requests per window; with several limits, each must allow a request"),
        by: z
          .union([key(), z.array(key()).min(1).max(4)], "a key, or several: consumer, [ip, route]")
          .describe(
            "What requests are counted by: `ip` (an IPv6 client is its /64), `consumer`, `route`, `tier`, `header.<name>`, `claim.<name>`, or a combination",
          ),
        algorithm: z
          .enum(["sliding-window", "fixed-window", "token-bucket"])
          .default("sliding-window")
          .describe("The algorithm, as in `@upstash/ratelimit`: a bucket fills evenly, and holds `burst`"),
        burst: z
          .int()
          .min(1)
          .max(1e9)
          .optional()
          .describe("The most tokens of a bucket; by default the number of the limit"),
        count: z
          .enum(["leased", "exact", "local"])
          .default("leased")
          .describe(
            "`exact` calls the store for each request; `leased` takes a share from it at once, so that over any period isolates admit at most one share each more than `exact` (with fixed windows none more); `local` counts in each isolate separately",
          ),
        share: percent()
          .default("5%")
          .describe("Share of the limit that an isolate leases at once; at least one request"),
        hold: duration().default("1s").describe("How long an isolate holds a lease, and remembers a refusal"),
        store: z
          .union(
            [
              z.literal("state"),
              z.strictObject({
                upstash: z
                  .url({ protocol: /^https?$/, error: "a URL begins with http:// or https://" })
                  .describe("A Redis with a REST API, such as https://….upstash.io"),
                token: secret().describe("Its token"),
              }),
            ],
            "`state`, or { upstash: https://…, token: { secret: NAME } }",
          )
          .default("state")
          .describe("Where counts are stored: the tier's Durable Objects, or a Redis"),
        timeout: duration().default("250ms").describe("Timeout of the store"),
        "on-failure": z
          .enum(["local", "allow", "deny"])
          .default("local")
          .describe(
            "When the store is unavailable, slow or invalid: counts in the isolate, allows the request, or answers 503. Each such request is marked in the access log",
          ),
      })
      .refine(({ algorithm, burst }) => burst === undefined || algorithm === "token-bucket", {
        error: "only a token-bucket has a burst",
        path: ["burst"],
      })
      .refine(({ by }) => new Set([by].flat()).size === [by].flat().length, {
        error: "a key is repeated",
        path: ["by"],
      })
      .refine(({ limit }) => new Set([limit].flat()).size === [limit].flat().length, {
        error: "a limit is repeated",
        path: ["limit"],
      }),
    example: { limit: ["20/s", "5000/day"], by: "ip" },
    codes,
    keysOfCode: { "rate-limited": ["limit"], "limit-unavailable": ["on-failure", "store"] },
    impossibleCodes: ({ count, "on-failure": onFailure }) =>
      count === "local" || onFailure !== "deny" ? ["limit-unavailable"] : [],
    bindings: ({ count, store }) => (count !== "local" && store === "state" ? [{ kind: "state" }] : []),
    secrets: ({ count, store }) => (count === "local" || store === "state" ? [] : [store.token.secret]),
    exposes: ({ limit, by }) => ({ limits: [limit].flat().map((it) => ({ limit: it, by: [by].flat() })) }),
    calls: ({ store }) => (typeof store === "string" ? [] : [store.upstash]),
    connections: ({ count }) => (count === "local" ? 0 : 1),
    links: ({ count }) => (count === "local" ? [] : ["limiter"]),
    tighten: { limits: ({ limit }) => [limit].flat() },
    reads: ({ by }) =>
      [by].flat().flatMap((it, index) => {
        const text = referenceOf(it);
        return text === undefined ? [] : [{ path: Array.isArray(by) ? ["by", index] : ["by"], text }];
      }),
    ...hooks(),
  });

export const make = (written: Config<typeof spec>, deps: Deps, instance: FilterInstance): Guard => {
  const { limits } = instance;
  const config = limits ? { ...written, limit: [...new Set([written.limit, limits].flat())] } : written;
  const key = limitKeyOf([config.by].flat());
  const each = [config.limit].flat().map((text) => limitOf(text, config, deps, instance));
  const respondTo = (verdicts: readonly LimitResult[], context: Context) => reportLimits(verdicts, context, deps);
  return (request, context) => {
    const limitKey = key(request, context);
    if (typeof limitKey !== "string")
      return limitKey.then((it) => countAll(each, it, context)).then((it) => respondTo(it, context));
    const verdicts = countAll(each, limitKey, context);
    return verdicts instanceof Promise ? verdicts.then((it) => respondTo(it, context)) : respondTo(verdicts, context);
  };
};

interface NamedLimit {
  /** For the RateLimit fields. */
  readonly name: string;
  readonly policy: string;
  readonly count: LimitWithFallback;
}

/** The result of one limit. No verdict when its store failed and `on-failure` is `deny`. */
interface LimitResult {
  readonly limit: NamedLimit;
  readonly verdict: LimitVerdict | undefined;
}

/** Counts a request against each limit until one refuses. Synchronous when no store has to be called. */
const countAll = (
  limits: readonly NamedLimit[],
  key: string,
  context: Context,
): LimitResult[] | Promise<LimitResult[]> => {
  const results: LimitResult[] = [];
  const from = (index: number): LimitResult[] | Promise<LimitResult[]> => {
    for (let at = index; at < limits.length; at++) {
      const limit = limits[at] as NamedLimit;
      const verdict = limit.count(key, context);
      if (verdict instanceof Promise)
        return verdict.then((it) => (addResult({ limit, verdict: it }) ? from(at + 1) : results));
      if (!addResult({ limit, verdict })) return results;
    }
    return results;
  };
  const addResult = (it: LimitResult): boolean => {
    results.push(it);
    return it.verdict?.allowed === true;
  };
  return from(0);
};

/**
 * Reports the limits to the client (RateLimit fields, draft-ietf-httpapi-ratelimit-headers-10), and refuses when the
 * last limit does.
 */
const reportLimits = (results: readonly LimitResult[], context: Context, { now }: Deps): Response | undefined => {
  const last = results.at(-1)?.verdict;
  if (!last) return refuse(context, codes, "limit-unavailable", { headers: { "retry-after": "1" } });
  for (const { limit, verdict } of results) {
    if (!verdict) continue;
    context.inbound.push(["append", "ratelimit-policy", limit.policy]);
    context.inbound.push([
      "append",
      "ratelimit",
      `"${limit.name}";r=${verdict.remaining};t=${seconds(verdict, now())}`,
    ]);
  }
  if (last.allowed) return undefined;
  return refuse(context, codes, "rate-limited", { headers: { "retry-after": String(seconds(last, now())) } });
};

const seconds = ({ reset }: LimitVerdict, now: number): number => Math.max(1, Math.ceil((reset - now) / 1000));

const limitOf = (text: string, config: Config<typeof spec>, deps: Deps, { tier, id }: FilterInstance): NamedLimit => {
  const { count, windowMs } = requestsPerWindow(text);
  const { algorithm, burst = count } = config;
  const rule: LimitRule = { algorithm, count, windowMs, burst };
  const prefix = `${tier}/${id}/${text}`;
  const name = Array.isArray(config.limit) ? `${id}:${text}` : id;
  const policy = `"${name}";q=${count};w=${Math.max(1, Math.round(windowMs / 1000))}`;
  const localCounter = localLimit(rule, deps);
  if (config.count === "local") return { name, policy, count: (key) => localCounter(key) };

  const storeCounter = limiterOf(deps)(rule, prefix, storeOf(config, deps));
  const limit = config.count === "leased" ? leasedLimit(storeCounter, leaseOf(config, rule), deps) : storeCounter;
  const fallback: LimitCounter | undefined =
    config["on-failure"] === "local"
      ? localCounter
      : config["on-failure"] === "allow"
        ? () => ({ allowed: true, limit: count, remaining: 0, reset: deps.now() })
        : undefined;
  return { name, policy, count: withFallback(limit, fallback, { tier, id }, deps) };
};

/** A gate whose limits are all local does not bundle the library for stores. */
const limiterOf = ({ limiter }: Deps): StoreLimiter => {
  if (!limiter) throw new Error("this gate was linked without the counter for stores; rebuild it");
  return limiter;
};

/** A small limit is leased one request at a time. The lease then only remembers refusals. */
const leaseOf = (config: Config<typeof spec>, { algorithm, count, burst }: LimitRule): LeaseOptions => ({
  share: Math.max(1, Math.floor((algorithm === "token-bucket" ? burst : count) * share(config.share))),
  holdMs: milliseconds(config.hold),
  // A refused lease is followed by a second call for one request.
  storeTimeoutMs: 2 * milliseconds(config.timeout) + 1000,
  endsWithWindow: algorithm === "fixed-window",
});

const storeOf = ({ store, timeout }: Config<typeof spec>, deps: Deps): ScriptStore => {
  const timeoutMs = milliseconds(timeout);
  if (store !== "state") return redisRestStore(store.upstash, secretOf(store.token.secret, deps), timeoutMs, deps);
  if (!deps.state) throw new Error("no state is bound to this gate");
  return stateStore(deps.state, timeoutMs, deps);
};
