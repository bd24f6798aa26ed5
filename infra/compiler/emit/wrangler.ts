/** Builds the wrangler configurations of gates and the front. Only the front is reachable, and only on its hosts. */

import { frontName } from "../../../functions/front/front-name.ts";
import { splitSecret } from "../../../functions/front/version-keys.ts";
import type { FrontPlan } from "../../../functions/gateway/core/plan.ts";
import { milliseconds } from "../../../functions/gateway/core/quantities.ts";
import { consumersKey, environmentName } from "../../../functions/gateway/identity/consumer-entries.ts";
import { cacheSecret } from "../../../functions/gateway/identity/shared-cache.ts";
import type { Binding } from "../../../functions/gateway/part.ts";
import type { Environment } from "../../../functions/manifest/environment.ts";
import { routeZone, type Zones } from "../inputs/zones.ts";
import { type Gate, gateOf, liftedRoutes } from "../lower/gates.ts";
import { gateBinding, routeBinding } from "../lower/lower.ts";
import { common, requiredBindings, workerName } from "../lower/platform.ts";
import type { CheckedTier, NamedFile } from "../model/checked.ts";
import {
  controlServices,
  feedCopy,
  feedService,
  frontWorker,
  tailConsumers,
  telemetryService,
} from "./control-workers.ts";
import { needsState, stateService } from "./state-workers.ts";

export const gateConfig = ({ name, serves, shared }: Gate, environmentFile: NamedFile<Environment>) => {
  const { name: environment, value } = environmentFile;
  const tiers = serves.map(({ checked }) => checked);
  const bindings = distinctBindings(tiers.flatMap(requiredBindings));
  const secrets = requiredSecrets(tiers);
  const [{ manifest }] = tiers as [CheckedTier];
  const { hosts, base, entry, limits } = manifest;
  return {
    name: workerName(name, environment),
    main: "gate.js",
    ...common,
    ...(entry === "zone" && { routes: hosts.flatMap((host) => zoneRoutes(host, base.path, value.front.zones)) }),
    version_metadata: { binding: "VERSION" },
    services: [
      ...bindings.flatMap((it) => (it.kind === "service" ? [{ binding: it.binding, service: it.service }] : [])),
      ...tiers.filter(needsState).map((it) => stateService(it, environment)),
      ...controlServices(tiers, environmentFile),
    ],
    kv_namespaces: [
      ...bindings.flatMap((it) =>
        it.kind === "kv" ? [{ binding: it.binding, id: value.kv[it.namespace] as string }] : [],
      ),
      ...feedCopy(environmentFile),
    ],
    ...(value.consumers &&
      needsConsumers(bindings) && { vars: { [consumersKey]: value.consumers.key, [environmentName]: environment } }),
    ...tailConsumers(environmentFile),
    // The platform refuses a Worker with a missing secret, so in a shared gate one tier would block all others.
    ...(!shared && secrets.length > 0 && { secrets: { required: secrets } }),
    ...(!shared && (limits.cpu ?? limits["sub-requests"]) !== undefined && { limits: platformLimits(limits) }),
  };
};

/** Whether a filter looks up consumers. */
const needsConsumers = (bindings: readonly WorkerBinding[]): boolean =>
  bindings.some((it) => it.kind === "kv" && it.namespace === "consumers");

/** Names of the secrets that filters and upstreams of these tiers read. */
export const requiredSecrets = (tiers: readonly CheckedTier[]): string[] => {
  const parts = tiers.flatMap(({ routes, upstreams }) => [
    ...routes.flatMap(({ chain }) => chain),
    ...Object.values(upstreams),
  ]);
  return [...new Set(parts.flatMap(({ spec, config }) => spec.secrets?.(config) ?? []))].sort();
};

/**
 * Names of the secrets that `postern deploy` generates for a gate of these tiers if they are missing. None is required: a
 * gate without it runs, but does not use the location's cache.
 */
export const generatedSecrets = (tiers: readonly CheckedTier[]): string[] =>
  tiers.flatMap(requiredBindings).some(({ kind }) => kind === "cache") ? [cacheSecret] : [];

/** The same of the front. Without a control plane the gray key alone splits versions. */
export const generatedFrontSecrets = ({ value }: NamedFile<Environment>): string[] =>
  value.control ? [splitSecret] : [];

const platformLimits = (limits: CheckedTier["manifest"]["limits"]) => ({
  ...(limits.cpu !== undefined && { cpu_ms: milliseconds(limits.cpu) }),
  ...(limits["sub-requests"] !== undefined && { subrequests: limits["sub-requests"] }),
});

/** Zone routes of a tier with `entry: zone`: everything under its base. The rest of the host stays with the front. */
const zoneRoutes = (host: string, base: string, zones: Zones) => {
  const patterns = base === "/" ? [`${host}/*`] : [`${host}${base}`, `${host}${base}/*`];
  return patterns.map((pattern) => ({ pattern, ...routeZone(host, zones) }));
};

type WorkerBinding = Exclude<Binding, { readonly kind: "state" | "cache" }>;

const distinctBindings = (bindings: readonly Binding[]): WorkerBinding[] => {
  const bound = bindings.filter((it): it is WorkerBinding => it.kind !== "state" && it.kind !== "cache");
  return [...new Map(bound.map((it) => [it.binding, it])).values()].toSorted((a, b) =>
    a.binding < b.binding ? -1 : 1,
  );
};

export const frontConfig = (front: FrontPlan, tiers: readonly CheckedTier[], environment: NamedFile<Environment>) => {
  const { name, value } = environment;
  return {
    name: frontWorker(name),
    main: "front.js",
    ...common,
    routes: frontHosts(front).map((host) => ({ pattern: `${host}/*`, ...routeZone(host, value.front.zones) })),
    ...(value.control && { version_metadata: { binding: "VERSION" } }),
    services: [
      ...tiers
        .toSorted((a, b) => (a.manifest.tier < b.manifest.tier ? -1 : 1))
        .flatMap((tier) => gateServices(tier, name)),
      ...(value.control ? [feedService(frontName, name), telemetryService({ from: "front" }, name)] : []),
    ],
    ...(value.control && { kv_namespaces: feedCopy(environment) }),
    ...tailConsumers(environment),
  };
};
export type FrontConfig = ReturnType<typeof frontConfig>;

/** The Worker of each binding to a gate. */
export const boundGates = ({ services }: Pick<FrontConfig, "services">): Record<string, string> =>
  Object.fromEntries(
    services.flatMap(({ binding, service, entrypoint }) => (entrypoint === behind ? [[binding, service]] : [])),
  );

/** The front's bindings to the gates of a tier, through the `Behind` entrypoint, which is not routable. */
const gateServices = (tier: CheckedTier, environment: string): Service[] => {
  const { tier: name, isolation } = tier.manifest;
  const entrypoint = behind;
  return [
    {
      binding: gateBinding(name),
      service: workerName(gateOf(tier), environment),
      entrypoint,
      ...(isolation === "shared" && { props: { tier: name } }),
    },
    ...liftedRoutes(tier).map(({ route, gate }) => ({
      binding: routeBinding(name, route),
      service: workerName(gate, environment),
      entrypoint,
    })),
  ];
};

/** A gate's entrypoint for the front. */
const behind = "Behind";

interface Service {
  readonly binding: string;
  readonly service: string;
  readonly entrypoint: string;
  readonly props?: { readonly tier: string };
}

/** Hosts of the front; each has a catch-all route to it. */
const frontHosts = (front: FrontPlan): string[] => [...new Set(front.tiers.flatMap(({ hosts }) => hosts))].sort();
