/** The manifest as people write it. Filters and upstreams are checked in a second step, each by its own schema. */
import * as z from "zod";
import { explain } from "./complaint.ts";
import { duration, percent, size } from "./quantities.ts";
import { piecesOf } from "./references.ts";
import { segmentsOf } from "./router.ts";

/** What may stand beside a filter's kind. */
export const filterSettings = () =>
  z.strictObject({
    id: name().optional().describe("Tells two filters of one kind apart"),
    mode: z
      .enum(["enforce", "shadow", "off"])
      .default("enforce")
      .describe("`shadow` decides, is logged, and lets pass"),
    percent: percent().default("100%").describe("Of users, always the same ones"),
  });

/** What may stand beside an upstream's protocol. */
export const upstreamSettings = () =>
  z.strictObject({
    timeout: duration()
      .refine((text) => !/^0+\D/.test(text), "a timeout is longer than nothing")
      .default("30s")
      .describe("Until the response's headers"),
  });

const entries = () => z.array(z.looseObject({}, "a filter is a map of one key: `- cors: { … }`")).default([]);

const route = () =>
  z.strictObject({
    summary: z.string().optional().describe("A line for the reader"),
    match: z
      .string()
      .superRefine(explain(matchOf))
      .describe("`METHOD[,METHOD] /path/{name}/{name:pattern}/{rest*}`; `ANY` for every method"),
    filters: entries().describe("Filters of this route, behind those of the tier"),
    without: z.array(z.string()).default([]).describe("Filters of the tier that this route drops, by id"),
    to: z.string().describe("The upstream"),
    path: z
      .string()
      .superRefine(explain(piecesOf))
      .refine(
        (text) => /^\/[^?#\s\\]*$/.test(text),
        "a path begins with / and has no query; the client's query goes along",
      )
      .optional()
      .describe("What the upstream is asked for: `/accounts/{path.id}`"),
    upgrade: z.enum(["websocket"]).optional().describe("What a request of this route may become"),
  });

export const manifest = () =>
  z.strictObject({
    api: z.literal("postern/v1").describe("Version of this language"),
    tier: name().describe("The business system; its gate is `gate-<tier>`"),
    owner: z.string().optional().describe("Who answers for it: `@acme/wallet`"),
    summary: z.string().optional().describe("A line for the reader"),
    level: z
      .enum(["core", "standard", "best-effort"])
      .default("standard")
      .describe("How much depends on it; nothing is decided by it yet"),
    labels: z.record(name(), z.string()).default({}).describe("Free; to select by"),
    hosts: z.array(host()).min(1).describe("Host names that its routes are served on"),
    base: z.string().superRefine(explain(baseOf)).default("/").describe("Put before every match"),
    limits: z
      .strictObject({
        body: size().default("10MiB").describe("The largest request body, where no body-limit says otherwise"),
      })
      .prefault({})
      .describe("Bounds of the gate"),
    log: z
      .strictObject({
        sample: percent().default("100%").describe("Share of requests with an access line; faults always have one"),
      })
      .prefault({})
      .describe("The access log"),
    filters: entries().describe("Filters of every route, in the order in which they run"),
    upstreams: z.record(name(), z.looseObject({})).describe("Services behind this tier, by name"),
    routes: z.record(name(), route()).describe("The API: name → route"),
  });

export type Manifest = z.output<ReturnType<typeof manifest>>;

/** `environments/<name>.yaml`: the values of `${…}`, and what the platform calls things there. */
export const environment = () =>
  z.strictObject({
    values: z
      .record(name(), z.union([z.string(), z.array(z.string())]))
      .default({})
      .describe("What a variable of that name stands for"),
    kv: z
      .record(name(), z.string().regex(/^[0-9a-f]{32}$/, "a KV namespace's id: 32 hexadecimal digits"))
      .default({})
      .describe("Ids of KV namespaces"),
    front: z
      .strictObject({
        zone: host().optional().describe("The zone of the hosts; by default their last two labels"),
        "gray-key": z
          .strictObject({
            header: z
              .string()
              .regex(/^[a-z0-9-]+$/, "a header's name in lower case")
              .optional(),
            cookie: z
              .string()
              .regex(/^[A-Za-z0-9_-]+$/, "a cookie's name")
              .default("postern-gray"),
          })
          .prefault({})
          .describe("What keeps a user on one version"),
      })
      .prefault({}),
    dev: z
      .strictObject({
        services: z.record(name(), z.string()).default({}).describe("Commands of the business services"),
        workers: z.record(name(), z.string()).default({}).describe("Workers that upstreams name, by their source file"),
        try: z
          .array(z.strictObject({ say: z.string(), run: z.string() }))
          .default([])
          .describe("Lines to paste, printed by `postern dev`"),
      })
      .prefault({})
      .describe("What `postern dev` starts beside the gates"),
  });

export type Environment = z.output<ReturnType<typeof environment>>;

/** `consumers.yaml`: who calls, and the hashes of their keys. */
export const consumers = () =>
  z.strictObject({
    consumers: z.record(
      name(),
      z.strictObject({
        labels: z.record(name(), z.string()).default({}),
        keys: z.array(z.string().regex(/^sha256:[0-9a-f]{64}$/, "the hash of a key: sha256:<64 hexadecimal digits>")),
      }),
    ),
  });

function name() {
  return z
    .string()
    .regex(
      /^[a-z](?:[a-z0-9-]{0,46}[a-z0-9])?$/,
      "a name is lower case letters, digits and hyphens, 48 at most: red-packet",
    );
}

function host() {
  return z
    .string()
    .regex(
      /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/,
      "a host name in lower case, with no port: api.acme.example",
    );
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"];

/**
 * Reads `GET,POST /accounts/{id}`.
 * @throws SyntaxError with a sentence for the manifest's author
 */
export function matchOf(text: string): { readonly methods: readonly string[]; readonly path: string } {
  const [, list, path] = /^(\S+) (\S+)$/.exec(text) ?? [];
  if (list === undefined || path === undefined)
    throw new SyntaxError("a match is a method and a path: GET /accounts/{id}");
  const named = list.split(",");
  const odd = named.find((method) => !methods.includes(method));
  if (odd !== undefined) throw new SyntaxError(`"${odd}" is no method; it is one of ${methods.join(", ")}`);
  const twice = named.find((method, index) => named.indexOf(method) < index);
  if (twice !== undefined) throw new SyntaxError(`${twice} stands there twice`);
  segmentsOf(path);
  return { methods: named, path };
}

function baseOf(text: string): void {
  if (segmentsOf(text).some(({ kind }) => kind !== "literal")) throw new SyntaxError("a base has no {captures}");
}
