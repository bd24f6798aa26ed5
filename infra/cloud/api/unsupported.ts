/** Products of Cloudflare that the local cloud does not have. Their calls are refused by name, unlike unknown paths. */
import { Hono } from "hono";
import { apiErrors } from "../account/api-errors.ts";
import { ok, page } from "./envelope.ts";

/** Under `/accounts/:account`, by the first segment of each product's calls. */
const unsupportedProducts: Readonly<Record<string, string>> = {
  access: "Access",
  ai: "Workers AI",
  "ai-gateway": "AI Gateway",
  "ai-search": "AI Search",
  analytics_engine: "Analytics Engine's SQL",
  autorag: "AI Search",
  "browser-rendering": "Browser Rendering",
  builds: "Workers Builds",
  calls: "Realtime",
  cfd_tunnel: "tunnels",
  challenges: "Turnstile",
  cloudchamber: "containers",
  connectivity: "Workers VPC",
  containers: "containers",
  d1: "D1",
  dispatch: "Workers for Platforms",
  email: "email",
  event_notifications: "event notifications",
  event_subscriptions: "event subscriptions",
  hyperdrive: "Hyperdrive",
  images: "Images",
  logpush: "Logpush",
  logs: "Logpush",
  members: "members of the account",
  mtls_certificates: "mTLS certificates",
  pages: "Pages",
  pipelines: "Pipelines",
  queues: "queues",
  r2: "R2",
  "r2-catalog": "R2",
  realtime: "Realtime",
  roles: "members of the account",
  rulesets: "rulesets",
  secrets_store: "Secrets Store",
  snippets: "snippets",
  stream: "Stream",
  vectorize: "Vectorize",
  workflows: "Workflows",
};

/** Under `/accounts/:account/workers`. */
const unsupportedWorkerPaths: Readonly<Record<string, string>> = {
  "assets/*": "static assets",
  "dispatch/*": "Workers for Platforms",
  "durable_objects/namespaces/:id/objects": "lists of objects",
  "observability/*": "Workers Observability",
  "placement/*": "placement",
  "queues/*": "queues",
  "scripts/:name/assets-upload-session": "static assets",
  "scripts/:name/domains/*": "custom domains (give a route instead)",
  "scripts/:name/environments/*": "service environments",
  "scripts/:name/usage-model": "usage models",
  "services/:name/environments/*": "service environments",
};

/** Under `/zones/:zone`. */
const unsupportedZonePaths: Readonly<Record<string, string>> = {
  cache: "settings of the cache",
  custom_hostnames: "custom hostnames",
  dns_records: "DNS records",
  email: "email",
  firewall: "rulesets",
  logpush: "Logpush",
  purge_cache: "purges of the cache",
  rulesets: "rulesets",
  settings: "settings of zones",
  snippets: "snippets",
  ssl: "certificates",
  "workers/filters": "filters of before routes (give a route instead)",
};

/** Under `/zones`. */
export const unsupportedZoneRoutes = () => {
  const app = new Hono();
  for (const [path, what] of Object.entries(unsupportedZonePaths))
    app.all(`/:zone/${path}/*`, () => {
      throw apiErrors.unsupported(what);
    });
  return app;
};

/** Under `/accounts/:account`. */
export const unsupportedRoutes = () => {
  const app = new Hono();
  const refuse = (path: string, what: string) =>
    app.all(path, () => {
      throw apiErrors.unsupported(what);
    });
  // Wrangler looks here for resources of a Worker that it deletes. There are none.
  app.get("/containers/applications", (c) => ok(c, page(c, [])));
  app.get("/workers/domains", (c) => ok(c, page(c, [])));
  app.get("/workers/account-settings", (c) => ok(c, { default_usage_model: "standard", green_compute: false }));
  refuse("/workers/account-settings", "settings of the account");
  for (const method of ["PUT", "DELETE"] as const)
    app.on(method, "/workers/subdomain", () => {
      throw apiErrors.unsupported("another subdomain of workers.dev");
    });
  for (const [path, what] of Object.entries(unsupportedWorkerPaths)) refuse(`/workers/${path}`, what);
  refuse("/workers/domains/:id?", "custom domains (give a route instead)");
  refuse("/workers/workers/:name?", "the beta API of Workers");
  refuse("/workers/workers/:name/versions/:version?", "the beta API of Workers");
  for (const [product, what] of Object.entries(unsupportedProducts)) {
    refuse(`/${product}`, what);
    refuse(`/${product}/*`, what);
  }
  return app;
};
