/** The Workers of the control plane: control, feed, actuator and tail. Emitted only if the environment has `control`. */
import type { CollectorPlan } from "../../../functions/control/exporters/otlp/push.ts";
import type { ControlPlan, TierFacts } from "../../../functions/control/model/plan.ts";
import type { PrometheusPlan } from "../../../functions/control/telemetry/prometheus-query.ts";
import type { IngestProps } from "../../../functions/control/wiring/ingest.ts";
import type { Plan } from "../../../functions/gateway/core/plan.ts";
import { feedBinding } from "../../../functions/gateway/core/ports/state.ts";
import { formatPath } from "../../../functions/gateway/routing/match.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import { registry } from "../../project/registry.ts";
import { routeZone } from "../inputs/zones.ts";
import { gateOf, liftedRoutes, sharedGate } from "../lower/gates.ts";
import { common, workerName } from "../lower/platform.ts";
import type { CheckedTier, NamedFile } from "../model/checked.ts";
import { webhookOf, webhookSecrets } from "./control-webhook.ts";
import { frontFacts } from "./release-plans.ts";

type ControlSettings = NonNullable<Environment["control"]>;

export const controlWorker = (environment: string) => workerName("postern-control", environment);
const feedWorker = (environment: string) => workerName("postern-feed", environment);
export const actuatorWorker = (environment: string) => workerName("postern-actuator", environment);
export const tailWorker = (environment: string) => workerName("postern-tail", environment);
export const frontWorker = (environment: string) => workerName("postern-front", environment);

/** The actuator's secret. */
export const deployToken = "CLOUDFLARE_API_TOKEN";

/** Secrets of control: the key of testers' labels, the webhook signing secret, and tokens for other services. */
export const controlSecrets = ({ webhook, github, otlp, prometheus }: ControlSettings): string[] => [
  "CONTROL_KEY",
  ...webhookSecrets({ webhook }),
  ...(github === undefined ? [] : ["GITHUB_TOKEN"]),
  ...collectorSecrets({ otlp }),
  ...(typeof prometheus === "object" ? [prometheus.secret] : []),
];

/** Secrets of Workers that push to the OTLP collector. */
export const collectorSecrets = ({ otlp }: Pick<ControlSettings, "otlp">): string[] =>
  typeof otlp === "object" ? [otlp.secret] : [];

/** The scheme that clients use. */
const schemeOf = ({ front = "https://" }: ControlSettings): string => front.slice(0, front.indexOf(":"));

const collectorOf = ({ otlp }: ControlSettings): CollectorPlan | null => {
  if (otlp === undefined) return null;
  return typeof otlp === "object" ? otlp : { url: otlp, secret: null };
};

const prometheusOf = ({ prometheus }: ControlSettings): PrometheusPlan | null => {
  if (prometheus === undefined) return null;
  return typeof prometheus === "object" ? prometheus : { url: prometheus, secret: null };
};

/** @param of a tier, or the front */
export const feedService = (of: string, environment: string) => ({
  binding: feedBinding(of),
  service: feedWorker(environment),
  entrypoint: "Read",
  props: { tier: of },
});

/** A gate's bindings to the control plane: its feed entries, and telemetry ingest. */
export const controlServices = (tiers: readonly CheckedTier[], { name, value }: NamedFile<Environment>) =>
  value.control
    ? [
        ...tiers.map(({ manifest: { tier } }) => feedService(tier, name)),
        telemetryService({ from: "gate", tiers: tiers.map(({ manifest }) => manifest.tier) }, name),
      ]
    : [];

export const telemetryService = (props: IngestProps, environment: string) => ({
  binding: "TELEMETRY",
  service: controlWorker(environment),
  entrypoint: "Ingest",
  props,
});

export const tailConsumers = ({ name, value }: NamedFile<Environment>) =>
  value.control ? { tail_consumers: [{ service: tailWorker(name) }] } : {};

/** The KV copy of the feed, if the environment has a namespace for it. */
export const feedCopy = ({ value }: NamedFile<Environment>) => {
  const id = value.control && value.kv.feed;
  return id === undefined ? [] : [{ binding: "COPY", id }];
};

export const controlConfig = ({ name, value }: NamedFile<Environment>, settings: ControlSettings) => ({
  name: controlWorker(name),
  main: "control.js",
  ...common,
  // Smoke tests go through the public front, even if host and control are in one zone.
  compatibility_flags: [...common.compatibility_flags, "global_fetch_strictly_public"],
  routes: [{ pattern: `${settings.host}/*`, ...routeZone(settings.host, value.front.zones) }],
  version_metadata: { binding: "VERSION" },
  services: [
    { binding: "FEED", service: feedWorker(name), entrypoint: "Write" },
    { binding: "ACTUATOR", service: actuatorWorker(name), entrypoint: "Actuator" },
  ],
  durable_objects: {
    bindings: [
      { name: "TELEMETRY", class_name: "Telemetry" },
      { name: "ROLLOUTS", class_name: "Rollouts" },
      { name: "WAVES", class_name: "Waves" },
      { name: "LEDGER", class_name: "Ledger" },
      { name: "NOTICES", class_name: "Notices" },
    ],
  },
  ...(settings.analytics !== undefined && {
    analytics_engine_datasets: [{ binding: "ANALYTICS", dataset: settings.analytics }],
  }),
  migrations: [
    { tag: "v1", new_sqlite_classes: ["Telemetry", "Rollouts", "Ledger"] },
    { tag: "v3", new_sqlite_classes: ["Waves"] },
    { tag: "v2", new_sqlite_classes: ["Notices"] },
  ],
  secrets: { required: controlSecrets(settings) },
});

export const feedConfig = (environment: NamedFile<Environment>) => ({
  name: feedWorker(environment.name),
  main: "feed.js",
  ...common,
  kv_namespaces: feedCopy(environment),
  durable_objects: { bindings: [{ name: "FEEDS", class_name: "Feed" }] },
  migrations: [{ tag: "v1", new_sqlite_classes: ["Feed"] }],
});

export const actuatorConfig = ({ name }: NamedFile<Environment>) => ({
  name: actuatorWorker(name),
  main: "actuator.js",
  ...common,
  secrets: { required: [deployToken] },
});

export const tailConfig = ({ name }: NamedFile<Environment>, settings: ControlSettings) => ({
  name: tailWorker(name),
  main: "tail.js",
  ...common,
  ...(collectorSecrets(settings).length > 0 && { secrets: { required: collectorSecrets(settings) } }),
  services: [telemetryService({ from: "tail" }, name)],
});

export type ControlPlaneConfig = ReturnType<
  typeof controlConfig | typeof feedConfig | typeof actuatorConfig | typeof tailConfig
>;

export const controlPlan = (
  tiers: readonly { readonly checked: CheckedTier; readonly plan: Plan }[],
  { name, value }: NamedFile<Environment>,
  settings: ControlSettings,
): ControlPlan => ({
  environment: name,
  host: settings.host,
  operators: settings.operators,
  front: settings.front ?? null,
  webhook: webhookOf(settings),
  github: settings.github === undefined ? null : { name: settings.github, api: settings["github-api"] },
  otlp: collectorOf(settings),
  prometheus: prometheusOf(settings),
  scheme: schemeOf(settings),
  tiers: Object.fromEntries(
    tiers
      .toSorted((a, b) => (a.plan.tier < b.plan.tier ? -1 : 1))
      .map(({ checked, plan }) => [plan.tier, tierFacts(checked, plan, name)]),
  ),
  frontFacts: frontFacts(
    tiers.map(({ checked }) => checked),
    frontWorker(name),
    value.front.release,
  ),
});

/** @param plan of the whole tier, with the routes that are lifted */
export const tierFacts = (checked: CheckedTier, plan: Plan, environment: string): TierFacts => {
  const { manifest } = checked;
  return {
    level: manifest.level,
    labels: manifest.labels,
    owner: manifest.owner ?? null,
    host: manifest.hosts[0] as string,
    base: manifest.base.path,
    workers: tierWorkers(checked, environment),
    ...(gateOf(checked) === sharedGate && { shared: true as const }),
    issuers: tokenIssuers(plan),
    filters: Object.fromEntries(
      Object.entries(plan.filters).map(([id, { use, mode, enforceable, with: config }]) => [
        id,
        { use, mode, ...(enforceable && { enforceable }), ...limitText(use, config) },
      ]),
    ),
    routes: Object.fromEntries(
      Object.entries(plan.routes).map(([route, { filters, goes, closed, cutover }]) => [
        route,
        {
          filters,
          path: pathOf(checked, route),
          ...("to" in goes && typeof goes.to !== "string" && { weights: goes.to }),
          ...(closed && { closed: true as const }),
          ...(cutover && { cutover }),
        },
      ]),
    ),
    limits: { body: plan.limits.body, concurrency: plan.limits.concurrency },
    release: manifest.release,
  };
};

/** What a route matches, without patterns. */
const pathOf = ({ routes }: CheckedTier, route: string): string => {
  const { segments = [] } = routes.find(({ name }) => name === route) ?? {};
  return formatPath(segments);
};

const limitText = (use: string, config: unknown): { readonly limit?: string } => {
  const limits = registry.filters[use]?.tighten?.limits?.(config);
  return limits ? { limit: limits.join(", ") } : {};
};

const tokenIssuers = ({ filters }: Plan): string[] => {
  const all = Object.values(filters).flatMap(({ use, with: config }) => registry.filters[use]?.issuers?.(config) ?? []);
  return [...new Set(all)].sort();
};

const tierWorkers = (checked: CheckedTier, environment: string): string[] =>
  [gateOf(checked), ...liftedRoutes(checked).map(({ gate }) => gate)].map((it) => workerName(it, environment));
