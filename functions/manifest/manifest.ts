/** Schema of the manifest. Filters and upstreams are checked in a second step, each by its own schema. */
import * as z from "zod";
import { parsePathTemplate } from "../gateway/core/references.ts";
import { isAcceptable } from "../gateway/proxy/spoofable-headers.ts";
import { checkBase, parseMatch } from "../gateway/routing/match.ts";
import { redirect, respond, weighted } from "./destinations.ts";
import { limits } from "./limits.ts";
import { headerName, hostOrWildcard, name } from "./names.ts";
import { date, duration, percent } from "./quantities.ts";
import { checkWith } from "./refine.ts";
import { release } from "./release.ts";
import { when } from "./when.ts";

/** Settings that every filter has. */
export const filterSettings = () =>
  z.strictObject({
    id: name().optional().describe("Tells two filters of one kind apart"),
    mode: z
      .enum(["enforce", "shadow", "off"])
      .default("enforce")
      .describe("`shadow` decides, is logged, and lets pass"),
    percent: percent()
      .default("100%")
      .describe(
        "Of users, always the same ones: by consumer where one is known, else by address; by nothing that a client chooses",
      ),
    when: when().optional().describe("Only requests that fulfil these conditions meet the filter"),
  });

/** Settings that every upstream has. */
export const upstreamSettings = () =>
  z.strictObject({
    timeout: duration()
      .refine((text) => !/^0+\D/.test(text), "a timeout is longer than nothing")
      .default("30s")
      .describe("Until the response's headers"),
  });

/** Per list. */
export const maxFilters = 50;

const entries = () =>
  z
    .array(z.looseObject({}, "a filter is a map of one key: `- cors: { … }`"))
    .max(maxFilters, `a list has ${maxFilters} filters at most`)
    .default([]);

const dropped = () => z.array(z.string()).max(maxFilters, `${maxFilters} at most`).default([]);

const deprecated = () =>
  z
    .strictObject({
      since: date().optional().describe("When it was deprecated; without it, at a time in the past that is not said"),
      sunset: date().optional().describe("When it will be gone"),
      link: z
        .url({ protocol: /^https?$/, error: "a link begins with http:// or https://" })
        .regex(/^[\x21-\x3b\x3d\x3f-\x7e]*$/, "a link is ASCII, with no space, < or >")
        .optional()
        .describe("A page that says what to use instead"),
    })
    .refine(({ since, sunset }) => !since || !sunset || since <= sunset, {
      error: "it is gone before it is deprecated",
      path: ["sunset"],
    });

const closed = () =>
  z.union(
    [
      z.boolean(),
      z.strictObject({
        "retry-after": duration().optional().describe("When to come back"),
        detail: z.string().max(200, "200 characters at most").optional().describe("What clients are told"),
      }),
    ],
    "true or false, or { retry-after: …, detail: … }",
  );

const cutover = () =>
  z.strictObject({
    legacy: z
      .string("the name of an upstream")
      .describe("The upstream that is the old gateway: sent each request as it came, past the route's filters"),
    percent: percent().describe(
      "Of users whom the gate serves itself, always the same ones, by gray key, else by address",
    ),
  });

export const route = () =>
  z.strictObject({
    summary: z.string().optional().describe("A line for the reader"),
    match: z
      .string()
      .superRefine(checkWith(parseMatch))
      .describe(
        "`METHOD[,METHOD] /path/{name}/{name:pattern}/{rest*}`; `/path{/rest*}` takes /path too; `/path/` ends in a slash, and `/{$}` is the base with one; `/{id}:cancel` mixes text and captures; `ANY` for every method",
      ),
    when: when().optional().describe("Further conditions that a request has to fulfil"),
    rank: z
      .int("a rank is a whole number")
      .min(1, "a rank is 1 to 1000")
      .max(1000, "a rank is 1 to 1000")
      .optional()
      .describe(
        "Of routes with the same match, the lowest is tried first; those without one come last, the one with more conditions first",
      ),
    filters: entries().describe("Filters of this route, behind those of the tier"),
    without: dropped().describe("Filters of the preset and the tier that this route drops, by id"),
    to: z
      .union([z.string(), weighted()], "an upstream, or a weighted list: [{ accounts: 90 }, { accounts-next: 10 }]")
      .optional()
      .describe(
        "The upstream, or several with weights; a user stays with one, by consumer, gray key or address, whichever is known first",
      ),
    respond: respond().optional().describe("Answers here, in place of an upstream"),
    redirect: redirect().optional().describe("Sends the client elsewhere, in place of an upstream"),
    path: z
      .string()
      .superRefine(checkWith(parsePathTemplate))
      .refine(
        (text) => /^\/[^?#\s\\]*$/.test(text),
        "a path begins with / and has no query; the client's query goes along",
      )
      .optional()
      .describe("What the upstream is asked for: `/accounts/{path.id}`"),
    cutover: cutover().optional().describe("Moves users from the gateway that served the route before"),
    closed: closed().optional().describe("Answers 503 in place of everything else, preflights included"),
    "encoded-slashes": z
      .enum(["refuse", "keep"], "refuse, or keep")
      .default("refuse")
      .describe(
        "Of paths with `%2F` in a captured value: `keep` passes it on as it came, part of the value and no separator, for a service that splits a path before it decodes it; `refuse` answers 400, `path-ambiguous`",
      ),
    upgrade: z.enum(["websocket"]).optional().describe("What a request of this route may become"),
    isolation: z
      .enum(["tier", "route"])
      .optional()
      .describe("`route` lifts it into a Worker of its own; by default as the tier says"),
    deprecated: deprecated().optional().describe("Told to clients (RFC 9745, RFC 8594)"),
  });

export type Route = z.output<ReturnType<typeof route>>;

/** A manifest without its routes. */
export const frame = () =>
  z.strictObject({
    api: z.literal("postern/v1").describe("Version of this language"),
    tier: name().describe("The business system; its gate is `gate-<tier>`"),
    owner: z.string().optional().describe("Who answers for it: `@acme/wallet`"),
    summary: z.string().optional().describe("A line for the reader"),
    level: z.enum(["core", "standard", "best-effort"]).default("standard").describe("How much depends on it"),
    labels: z.record(name(), z.string("a label's value is a text")).default({}).describe("Free; to select by"),
    hosts: z
      .array(hostOrWildcard())
      .min(1, "a tier is served on one host at least")
      .max(100, "a tier is served on 100 hosts at most")
      .describe("Host names that its routes are served on; `*.acme.example` for all beneath one"),
    base: z
      .string()
      .superRefine(checkWith(checkBase))
      .default("/")
      .describe("Put before every match; `/` is the base itself, with no slash at its end"),
    entry: z
      .enum(["front", "zone"])
      .default("front")
      .describe("`zone` is straight from the zone's route to the gate: no hop, no gray key from the front"),
    isolation: z.enum(["tier", "shared"]).default("tier").describe("`shared` links small tiers together into one gate"),
    preset: name().optional().describe("A gateway product: the filters of `routes/presets/<name>.yaml`, first"),
    without: dropped().describe("Filters of the preset that this tier drops, by id"),
    filters: entries().describe("Filters of every route, in the order in which they run"),
    "accept-headers": z
      .array(
        headerName().refine(isAcceptable, {
          error: "only a header that is removed from requests, and that the gate does not write itself, needs this",
        }),
      )
      .max(20, "20 at most")
      .default([])
      .describe(
        "Spoofable headers (docs/reference/spoofable-headers.md) that this tier's services are sent as clients write them; all others are removed",
      ),
    limits: limits().prefault({}).describe("Bounds of the gate"),
    log: z
      .strictObject({
        sample: percent().default("100%").describe("Share of requests with an access line; faults always have one"),
      })
      .prefault({})
      .describe("The access log"),
    upstreams: z
      .record(name(), z.looseObject({}, "an upstream is a map with its protocol: `{ http: https://… }`"))
      .default({})
      .describe("Services behind this tier, by name"),
    release: release().prefault({}).describe("How a new version reaches users"),
    routes: z.record(name(), z.unknown()).describe("The API: name → route"),
  });

export type Frame = z.output<ReturnType<typeof frame>>;

/** The complete manifest, for tools that describe it. */
export const manifest = () => frame().extend({ routes: z.record(name(), route()).describe("The API: name → route") });

/** `presets/<name>.yaml`: a named list of filters that makes a gateway product. */
export const preset = () =>
  z.strictObject({
    preset: name().describe("Its name, and its file's"),
    summary: z.string().describe("A line for the reader"),
    about: z.string().optional().describe("A page: what it protects against, and what not"),
    filters: entries().describe("Filters that run ahead of the tier's own"),
  });

export type Preset = z.output<ReturnType<typeof preset>>;
