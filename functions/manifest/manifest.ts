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
    id: name().optional().describe("Distinguishes two filters of the same kind"),
    mode: z
      .enum(["enforce", "shadow", "off"])
      .default("enforce")
      .describe("`shadow` decides and logs, but lets requests pass"),
    percent: percent()
      .default("100%")
      .describe(
        "Share of users, always the same ones: by consumer if known, else by address, never by what a client chooses",
      ),
    when: when().optional().describe("The filter runs only for requests that meet these conditions"),
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
      since: date().optional().describe("Since when it is deprecated; by default an unspecified time in the past"),
      sunset: date().optional().describe("When it will be removed"),
      link: z
        .url({ protocol: /^https?$/, error: "a link begins with http:// or https://" })
        .regex(/^[\x21-\x3b\x3d\x3f-\x7e]*$/, "a link is ASCII, with no space, < or >")
        .optional()
        .describe("A page that says what to use instead"),
    })
    .refine(({ since, sunset }) => !since || !sunset || since <= sunset, {
      error: "it is removed before it is deprecated",
      path: ["sunset"],
    });

const closed = () =>
  z.union(
    [
      z.boolean(),
      z.strictObject({
        "retry-after": duration().optional().describe("When to come back"),
        detail: z.string().max(200, "200 characters at most").optional().describe("Detail that clients receive"),
      }),
    ],
    "true or false, or { retry-after: …, detail: … }",
  );

const cutover = () =>
  z.strictObject({
    legacy: z
      .string("the name of an upstream")
      .describe(
        "The upstream of the previous gateway, which receives requests unmodified, without the route's filters",
      ),
    percent: percent().describe(
      "Share of users that this gate serves, always the same ones, by gray key, else by address",
    ),
  });

export const route = () =>
  z.strictObject({
    summary: z.string().optional().describe("A line for the reader"),
    match: z
      .string()
      .superRefine(checkWith(parseMatch))
      .describe(
        "`METHOD[,METHOD] /path/{name}/{name:pattern}/{rest*}`; `/path{/rest*}` also matches /path; `/path/` ends in a slash, and `/{$}` is the base with one; `/{id}:cancel` mixes text and captures; `ANY` for every method",
      ),
    when: when().optional().describe("Further conditions that requests must meet"),
    rank: z
      .int("a rank is a whole number")
      .min(1, "a rank is 1 to 1000")
      .max(1000, "a rank is 1 to 1000")
      .optional()
      .describe(
        "Order of routes with the same match: the lowest is tried first; routes without a rank come last, those with more conditions first",
      ),
    filters: entries().describe("Filters of this route, behind those of the tier"),
    without: dropped().describe("Filters of the preset and the tier that this route drops, by id"),
    to: z
      .union([z.string(), weighted()], "an upstream, or a weighted list: [{ accounts: 90 }, { accounts-next: 10 }]")
      .optional()
      .describe(
        "The upstream, or several with weights; a user stays with one, by consumer, else gray key, else address",
      ),
    respond: respond().optional().describe("A fixed response instead of an upstream"),
    redirect: redirect().optional().describe("A redirect instead of an upstream"),
    path: z
      .string()
      .superRefine(checkWith(parsePathTemplate))
      .refine(
        (text) => /^\/[^?#\s\\]*$/.test(text),
        "a path begins with / and has no query; the client's query is kept",
      )
      .optional()
      .describe(
        "Path of the upstream request: `/accounts/{path.id}`; by default the client's, with the tier's base unless `base` strips it",
      ),
    cutover: cutover().optional().describe("Moves users from the previous gateway of the route"),
    closed: closed().optional().describe("Answers every request with 503, preflights included"),
    "encoded-slashes": z
      .enum(["refuse", "keep"], "refuse, or keep")
      .default("refuse")
      .describe(
        "For paths with `%2F` in a captured value: `keep` forwards it unchanged, as part of the value and not a separator, for services that split paths before they decode them; `refuse` answers 400, `path-ambiguous`",
      ),
    upgrade: z.enum(["websocket"]).optional().describe("Allows requests of this route to upgrade"),
    isolation: z
      .enum(["tier", "route"])
      .optional()
      .describe("`route` lifts it into a Worker of its own; by default as the tier says"),
    deprecated: deprecated().optional().describe("Deprecation headers for clients (RFC 9745, RFC 8594)"),
  });

export type Route = z.output<ReturnType<typeof route>>;

const basePath = () => z.string("a path: /wallet/v1").superRefine(checkWith(checkBase));

const base = () =>
  z
    .union(
      [
        basePath(),
        z
          .strictObject({
            path: basePath().describe("Put before every match"),
            strip: z
              .boolean()
              .default(false)
              .describe(
                "Whether services receive paths without the base: `/accounts` for `/wallet/v1/accounts`; a route's own `path` stays as it is",
              ),
          })
          .refine(({ path, strip }) => path !== "/" || !strip, {
            error: "/ has nothing to strip; leave strip out",
            path: ["strip"],
          }),
      ],
      "a path, or { path: /wallet/v1, strip: true }",
    )
    .transform((it) => (typeof it === "string" ? { path: it, strip: false } : it));

/** A manifest without its routes. */
export const frame = () =>
  z.strictObject({
    api: z.literal("postern/v1").describe("Version of this language"),
    tier: name().describe("The business system; its gate is `gate-<tier>`"),
    owner: z.string().optional().describe("The owning team: `@acme/wallet`"),
    summary: z.string().optional().describe("A line for the reader"),
    level: z.enum(["core", "standard", "best-effort"]).default("standard").describe("How critical it is"),
    labels: z
      .record(name(), z.string("a label's value is a text"))
      .default({})
      .describe("Free labels, to select tiers by"),
    hosts: z
      .array(hostOrWildcard())
      .min(1, "a tier is served on one host at least")
      .max(100, "a tier is served on 100 hosts at most")
      .describe("Host names of its routes; `*.acme.example` for all subdomains"),
    base: base()
      .prefault("/")
      .describe(
        "Put before every match; `/` is the base itself, with no slash at its end. Services receive it too, unless it says `strip: true`",
      ),
    entry: z
      .enum(["front", "zone"])
      .default("front")
      .describe("`zone` goes directly from the zone's route to the gate, without the front and its gray key"),
    isolation: z.enum(["tier", "shared"]).default("tier").describe("`shared` links small tiers together into one gate"),
    preset: name().optional().describe("A gateway product: the filters of `routes/presets/<name>.yaml`, first"),
    without: dropped().describe("Filters of the preset that this tier drops, by id"),
    filters: entries().describe("Filters of every route, in the order in which they run"),
    "accept-headers": z
      .array(
        headerName().refine(isAcceptable, {
          error: "only spoofable headers that the gate does not set itself need this",
        }),
      )
      .max(20, "20 at most")
      .default([])
      .describe(
        "Spoofable headers (docs/reference/spoofable-headers.md) that are forwarded from clients to this tier's services; all others are removed",
      ),
    limits: limits().prefault({}).describe("Bounds of the gate"),
    log: z
      .strictObject({
        sample: percent()
          .default("100%")
          .describe("Share of requests with an access log line; failures always have one"),
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
