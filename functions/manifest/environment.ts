/** Schemas of environments and consumers. */
import * as z from "zod";
import { cookieName, headerName, host, name } from "./names.ts";
import { frontRelease } from "./release.ts";

const grayKey = () =>
  z.strictObject({
    header: headerName().optional().describe("A header that identifies users, such as a device id"),
    cookie: cookieName()
      .default("postern-gray")
      .describe(
        "The cookie that the front sets for browsers, with the prefix `__Host-`. A cookie without the prefix, from an earlier release, is accepted and replaced",
      ),
  });

const requestId = () =>
  z.strictObject({
    accept: z
      .boolean("accept is true or false")
      .default(false)
      .describe(
        "Keeps the client's `X-Request-Id` if it is 1 to 128 letters, digits and `_ . + / = : @ -`; otherwise, and by default, the front generates one. Clients may reuse an id, so it is for logs only; gates with `entry: zone` generate their own",
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

/** A chat's incoming webhook has no signature: whoever knows its URL posts there. */
const chatHosts =
  /^https:\/\/(?:hooks\.slack\.com|chat\.googleapis\.com|[^/]+\.(?:logic\.azure|powerplatform)\.com)(?=[:/]|$)/i;

const webhookUrl = () =>
  guarded().refine((text) => !chatHosts.test(text), {
    error:
      "the URL of a chat's webhook is a secret, and this file is not: write { format: slack, secret: POSTERN_WEBHOOK_URL } (or teams, google-chat), and `npx postern secrets set POSTERN_WEBHOOK_URL`",
    abort: true,
  });

const webhookFormat = () =>
  z
    .enum(["standard", "slack", "teams", "google-chat"])
    .default("standard")
    .describe(
      "The body: `standard` is signed JSON (Standard Webhooks) with the secret POSTERN_WEBHOOK_SECRET; the others are messages for a channel of that chat, without a signature. Mattermost and Rocket.Chat take `slack`",
    );

const webhook = () =>
  z.union(
    [
      webhookUrl(),
      z.strictObject({ url: webhookUrl(), format: webhookFormat() }),
      z.strictObject({ secret: z.literal("POSTERN_WEBHOOK_URL"), format: webhookFormat() }),
    ],
    "an address such as https://hooks.acme.example, { url: <address>, format: <format> }, or { secret: POSTERN_WEBHOOK_URL, format: slack }",
  );

/** The default of `control.api`. */
export const cloudflareApi = "https://api.cloudflare.com/client/v4";

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one schema, key by key
const control = () =>
  z.strictObject({
    host: host().describe("Where the admin API is reached; a host of its own"),
    key: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, "an Ed25519 public key as a JWK has it (`x`)")
      .describe("Control's public key, which verifies testers' labels; the private one is its secret CONTROL_KEY"),
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
        error: "two operators have the same key; approval by two people needs two keys",
      })
      .describe("Who may use the admin API, by name"),
    account: z
      .string()
      .regex(/^[0-9a-f]{32}$/, "an account's id: 32 hexadecimal digits")
      .describe("The account that the actuator splits versions in"),
    api: z
      .url({ protocol: /^https?$/, error: "an address begins with https://" })
      .default(cloudflareApi)
      .describe("The platform's REST API"),
    front: z
      .url({ protocol: /^https?$/, error: "an address begins with https:// or http://" })
      .optional()
      .describe("How smoke tests reach the front; by default `https://` and the tier's first host"),
    webhook: webhook()
      .optional()
      .describe(
        "Receives notifications of rollouts: an address, which gets signed ones (Standard Webhooks, secret POSTERN_WEBHOOK_SECRET), or `{ url, format }`; `{ secret: POSTERN_WEBHOOK_URL, format }` where that secret is the address, as for a chat's incoming webhook",
      ),
    github: z
      .string()
      .regex(/^[A-Za-z0-9][\w-]{0,38}\/(?!\.{1,2}$)[\w.-]{1,100}$/, "a repository: owner/name")
      .optional()
      .describe("The repository whose deployments show rollouts, with the secret GITHUB_TOKEN"),
    "github-api": guarded()
      .default("https://api.github.com")
      .transform((text) => text.replace(/\/+$/, ""))
      .describe("GitHub's REST API; for GitHub Enterprise Server `https://<host>/api/v3`"),
    analytics: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,64}$/, "a dataset's name is letters, digits and underscores")
      .optional()
      .describe("A dataset of Analytics Engine that also receives the gates' telemetry"),
    prometheus: z
      .union(
        [prometheus(), z.strictObject({ url: prometheus(), secret: z.literal("PROMETHEUS_TOKEN") })],
        "an address such as https://prometheus.acme.example, or { url: <address>, secret: PROMETHEUS_TOKEN }",
      )
      .optional()
      .describe(
        "The Prometheus server for the queries of releases: the address that `/api/v1/query` is appended to, or `{ url, secret: PROMETHEUS_TOKEN }` where that secret is its bearer token",
      ),
    otlp: z
      .union(
        [collector(), z.strictObject({ url: collector(), secret: z.literal("OTLP_HEADERS") })],
        "an address such as https://collector.acme.example, or { url: <address>, secret: OTLP_HEADERS }",
      )
      .optional()
      .describe(
        "The collector of metrics and traces (OTLP over HTTP, JSON): the address that `/v1/metrics` and `/v1/traces` are appended to, or `{ url, secret: OTLP_HEADERS }` where that secret holds headers for it (`name=value,name=value`)",
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
      .describe("Values of variables, by name"),
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
          .describe("The zones of the hosts; by default the last two labels of a host are its zone"),
        "gray-key": grayKey()
          .prefault({})
          .describe("What keeps a user on one version, one upstream of a weighted list, and one side of a cutover"),
        "request-id": requestId().prefault({}).describe("The request id in logs, problems and requests to services"),
        release: frontRelease()
          .prefault({})
          .describe("How a new version of the front reaches users: `postern rollout start front`"),
      })
      .prefault({})
      .describe("The Worker ahead of the gates"),
    consumers: z
      .strictObject({
        key: publicKey("postern secrets consumers-key").describe(
          "The public key of the consumers' entries in KV. With it gates accept only entries that `postern deploy` has signed with the private key",
        ),
      })
      .optional()
      .describe(
        "Signed consumers: with a key, other Workers that can write to the namespace `consumers` cannot add any",
      ),
    explain: z
      .strictObject({
        key: publicKey("postern explain --init").describe("The public key of explain tokens"),
      })
      .optional()
      .describe("Lets gates explain requests to callers with an explain token"),
    control: control()
      .optional()
      .describe("The control plane: measured rollouts, overlays, telemetry. Without it gates have none of these"),
    dev: z
      .strictObject({
        services: z.record(name(), z.string()).default({}).describe("Commands of the business services"),
        secrets: z
          .record(z.string(), z.string())
          .default({})
          .describe("Sample values of secrets that are not set locally; they are public"),
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
          labels: z.record(name(), z.string()).default({}).describe("Labels of the consumer, which filters can check"),
          keys: z
            .array(z.string().regex(/^sha256:[0-9a-f]{64}$/, "the hash of a key: sha256:<64 hexadecimal digits>"))
            .describe("Hashes of its keys, `sha256:` and hexadecimal digits; two during a rotation"),
        }),
      )
      .describe("Consumers by their id"),
  });
