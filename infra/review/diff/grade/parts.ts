/** The scales of the parts' keys: in which direction a value protects less. A key with none of them is only different. */
import { rates } from "./rates.ts";
import {
  admitted,
  allowing,
  bounds,
  demanding,
  demands,
  header,
  larger,
  largerThan,
  longer,
  longerThan,
  opposite,
  present,
  ranges,
  ranked,
  type Scale,
  shares,
  steps,
} from "./scales.ts";

type Scales = Readonly<Record<string, Scale>>;

const securing = [
  ...["strict-transport-security", "x-content-type-options", "x-frame-options", "referrer-policy"],
  ...["cross-origin-resource-policy", "cross-origin-opener-policy", "cross-origin-embedder-policy"],
  ...["origin-agent-cluster", "x-download-options", "x-permitted-cross-domain-policies"],
];

export const scalesOf: Readonly<Record<string, Scales>> = {
  jwt: {
    audience: allowing("everything"),
    algorithms: allowing("nothing"),
    from: allowing("nothing"),
    "max-size": larger,
    leeway: longer,
    "max-age": longer,
    claims: demands,
    scopes: demanding,
    revocation: present,
    cache: longer,
    stale: longer,
  },
  "api-key": { cache: longer },
  signature: { keys: admitted, window: longer, skew: longer, covers: demanding },
  access: {
    scopes: demanding,
    "any-scope": allowing("everything"),
    claims: demands,
    consumers: allowing("everything"),
    labels: demands,
  },
  ip: { allow: ranges("let in"), deny: ranges("kept out") },
  "rate-limit": { limit: rates, burst: larger, "on-failure": ranked("allow", "local", "deny") },
  "body-limit": { max: larger },
  cors: {
    origins: allowing("nothing"),
    methods: allowing("everything"),
    headers: allowing("nothing"),
    expose: allowing("nothing"),
    credentials: ranked("everybody", true, false),
  },
  csrf: { origins: allowing("nothing") },
  timeout: { after: longer },
  mirror: { share: shares, "max-body": larger },
  "secure-headers": Object.fromEntries(securing.map((name) => [name, header])),
};

/** Of every upstream, whatever it speaks. */
export const upstreamScales: Scales = { timeout: longer, location: ranked("keep", "rewrite") };

/** Of a tier's own settings. */
export const tierScales: Readonly<Record<"limits" | "release", Scales>> = {
  limits: {
    body: larger,
    concurrency: larger,
    "concurrency-from": ranked("body", "request"),
    "client-share": shares,
    "body-idle": longer,
    // What the platform has where the manifest says nothing.
    cpu: longerThan(30_000),
    "sub-requests": largerThan(1000),
    "stream-age": longer,
  },
  release: {
    steps,
    bake: opposite(longer),
    tolerate: bounds,
    limits: bounds,
    smoke: demanding,
    queries: opposite(admitted),
  },
};
