/** Schemas of environments and consumers. */
import * as z from "zod";
import { cookieName, headerName, host, name } from "./names.ts";

const grayKey = () =>
  z.strictObject({
    header: headerName().optional().describe("A header that tells users apart, such as a device's id"),
    cookie: cookieName()
      .default("postern-gray")
      .describe(
        "The cookie that the front sets for browsers, with `__Host-` ahead of its name. One without the prefix, of a release before, still counts, and is replaced",
      ),
  });

const requestId = () =>
  z.strictObject({
    accept: z
      .boolean("accept is true or false")
      .default(false)
      .describe(
        "Keeps the client's `X-Request-Id` where it is 1 to 128 letters, digits and `_ . + / = : @ -`; else, and by default, the front makes one. Clients may repeat theirs, so it tells requests apart in logs and nowhere else; gates with `entry: zone` make their own",
      ),
  });

/** The address is extended by a path, so it has no query. It is stored in plans, so it has no password. */
const collector = () =>
  z
    .url({ protocol: /^https?$/, error: "an address begins with https://" })
    .refine((text) => !/[?#]|\/\/[^/]*@/.test(text), "a collector's address has no query, and no user in it");

/** A user in the address would put a secret into a plan. */
const prometheus = () =>
  z
    .url({ protocol: /^https?$/, error: "an address begins with https://" })
    .refine(
      (text) => !/[@?#]/.test(text),
      "an address with no user, query or fragment; a token is the secret PROMETHEUS_TOKEN",
    );

const loopback = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)/;

/** Requests to it carry secrets or internal data, so it needs https. */
const guarded = () =>
  z.url({ protocol: /^https?$/, error: "an address begins with https://" }).refine(
    (text) => {
      const { protocol, username, hash } = new URL(text);
      return (protocol === "https:" || loopback.test(text)) && username === "" && hash === "";
    },
    { error: "an address begins with https:// (http:// only on this machine), and has no user in it", abort: true },
  );

const control = () =>
  z.strictObject({
    host: host().describe("Where the admin API is reached; a host of its own"),
    key: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, "an Ed25519 public key as a JWK has it (`x`)")
      .describe("Control's public key, of testers' labels; the private one is its secret CONTROL_KEY"),
    operators: z
      .record(
        name(),
        z.strictObject({
          key: z
            .string()
            .regex(/^[A-Za-z0-9_-]{43}$/, "an Ed25519 public key as a JWK has it (`x`)")
            .describe("The public key of the operator's tokens"),
          role: z
            .enum(["viewer", "operator", "admin"])
            .describe("`viewer` reads, `operator` releases and tightens, `admin` undoes what others did"),
        }),
      )
      .refine((all) => new Set(Object.values(all).map(({ key }) => key)).size === Object.keys(all).length, {
        error: "two operators have one key; what takes two people takes two keys",
      })
      .describe("Who may ask control for something, by name"),
    account: z
      .string()
      .regex(/^[0-9a-f]{32}$/, "an account's id: 32 hexadecimal digits")
      .describe("The account that the actuator splits versions in"),
    api: z
      .url({ protocol: /^https?$/, error: "an address begins with https://" })
      .default("https://api.cloudflare.com/client/v4")
      .describe("The platform's REST API"),
    front: z
      .url({ protocol: /^https?$/, error: "an address begins with https:// or http://" })
      .optional()
      .describe("How smoke tests reach the front; by default `https://` and the tier's first host"),
    webhook: guarded()
      .optional()
      .describe("Hears of rollouts, signed with the secret POSTERN_WEBHOOK_SECRET (Standard Webhooks)"),
    github: z
      .string()
      .regex(/^[A-Za-z0-9][\w-]{0,38}\/(?!\.{1,2}$)[\w.-]{1,100}$/, "a repository: owner/name")
      .optional()
      .describe("Whose deployments hear of rollouts, with the secret GITHUB_TOKEN"),
    "github-api": guarded()
      .default("https://api.github.com")
      .transform((text) => text.replace(/\/+$/, ""))
      .describe("GitHub's REST API; of an own server `https://<host>/api/v3`"),
    analytics: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,64}$/, "a dataset's name is letters, digits and underscores")
      .optional()
      .describe("A dataset of Analytics Engine that what gates count is written to as well"),
    prometheus: z
      .union(
        [prometheus(), z.strictObject({ url: prometheus(), secret: z.literal("PROMETHEUS_TOKEN") })],
        "an address such as https://prometheus.acme.example, or { url: <address>, secret: PROMETHEUS_TOKEN }",
      )
      .optional()
      .describe(
        "Who answers the queries of releases, in PromQL: the address that `/api/v1/query` lies under, or `{ url, secret: PROMETHEUS_TOKEN }` where that secret is its bearer token",
      ),
    otlp: z
      .union(
        [collector(), z.strictObject({ url: collector(), secret: z.literal("OTLP_HEADERS") })],
        "an address such as https://collector.acme.example, or { url: <address>, secret: OTLP_HEADERS }",
      )
      .optional()
      .describe(
        "Where metrics and traces go, by OTLP over HTTP in JSON: the address that `/v1/metrics` and `/v1/traces` lie under, or `{ url, secret: OTLP_HEADERS }` where that secret holds headers for it (`name=value,name=value`)",
      ),
  });

/** @param verb the command that generates one */
const publicKey = (verb: string) =>
  z.string().regex(/^[A-Za-z0-9_-]{43}$/, `an Ed25519 public key as a JWK has it (\`x\`); \`${verb}\` makes one`);

/** `environments/<name>.yaml`: the values of `${…}`, and the platform's resources. */
export const environment = () =>
  z.strictObject({
    values: z
      .record(name(), z.union([z.string(), z.array(z.string())], "a value is a text, or a list of texts"))
      .default({})
      .describe("What a variable of that name stands for"),
    kv: z
      .record(name(), z.string().regex(/^[0-9a-f]{32}$/, "a KV namespace's id: 32 hexadecimal digits"))
      .default({})
      .describe("Ids of KV namespaces"),
    front: z
      .strictObject({
        zones: z
          .array(host())
          .min(1)
          .optional()
          .describe("The zones that hold the hosts; without it, a host's last two labels are taken for its zone"),
        "gray-key": grayKey()
          .prefault({})
          .describe("What keeps a user on one version, and on one side of weights and of a cutover"),
        "request-id": requestId().prefault({}).describe("What a request is called in logs, problems and at services"),
      })
      .prefault({})
      .describe("The Worker ahead of the gates"),
    consumers: z
      .strictObject({
        key: publicKey("postern secrets consumers-key").describe(
          "The public key of the consumers' entries in KV. With it gates believe no entry that `postern deploy` has not signed with the private one",
        ),
      })
      .optional()
      .describe("Who may say who calls: with a key, no Worker that can write to the namespace `consumers` can"),
    explain: z
      .strictObject({
        key: publicKey("postern explain --init").describe("The public key of explain tokens"),
      })
      .optional()
      .describe("Lets gates explain a request to who brings a token for it"),
    control: control()
      .optional()
      .describe("The control plane: rollouts by measurement, overlays, telemetry. Without it gates have none of these"),
    dev: z
      .strictObject({
        services: z.record(name(), z.string()).default({}).describe("Commands of the business services"),
        secrets: z
          .record(z.string(), z.string())
          .default({})
          .describe("Sample values of secrets that nobody has set here; everybody knows them"),
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

/** `consumers.yaml`: consumers and the hashes of their keys. */
export const consumers = () =>
  z.strictObject({
    consumers: z
      .record(
        name(),
        z.strictObject({
          labels: z.record(name(), z.string()).default({}).describe("What filters can ask about the consumer"),
          keys: z
            .array(z.string().regex(/^sha256:[0-9a-f]{64}$/, "the hash of a key: sha256:<64 hexadecimal digits>"))
            .describe("Hashes of its keys, `sha256:` and hexadecimal digits; two of them while one replaces the other"),
        }),
      )
      .describe("Consumers by their id"),
  });
