/** The effective pipeline of a tier: every filter, upstream and route in order, each value with its origin. */

import type { CompiledTier } from "../../compiler/compile.ts";
import { gateOf, liftedRoutes, usedUpstreams } from "../../compiler/lower/gates.ts";
import type { CheckedFilter, CheckedPreset, CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { type EffectiveValue, effectiveValues, fileAndLine, type OriginContext } from "./entries.ts";
import { ownFilters, routeSettings, toWhen } from "./expand.ts";

export interface EffectiveFilter {
  readonly id: string;
  readonly use: string;
  /** Location in the preset or manifest. */
  readonly at: string;
  readonly entries: readonly EffectiveValue[];
  /** Unchecked parts of its schemas: `iban: the format "iban" is not checked`. */
  readonly unchecked: readonly string[];
}

/** An inherited filter that does not run. */
export interface DroppedFilter {
  readonly id: string;
  /** Location of its declaration. */
  readonly at: string;
  /** Location of the `without`. */
  readonly by: string;
}

export interface EffectiveUpstream {
  readonly name: string;
  readonly at: string;
  readonly entries: readonly EffectiveValue[];
}

export interface EffectiveRoute {
  readonly name: string;
  readonly at: string;
  /** `GET /wallet/v1/accounts/{id}` */
  readonly takes: string;
  /** The gate that serves it, without the environment's suffix. */
  readonly gate: string;
  readonly entries: readonly EffectiveValue[];
  /** All that run, in order. */
  readonly filters: readonly EffectiveFilter[];
  /** Ids of its own filters. */
  readonly own: readonly string[];
  readonly dropped: readonly DroppedFilter[];
}

export interface Effective {
  readonly tier: string;
  readonly at: string;
  readonly entries: readonly EffectiveValue[];
  /** Inherited filters of its routes, in order. */
  readonly shared: readonly EffectiveFilter[];
  readonly dropped: readonly DroppedFilter[];
  readonly upstreams: readonly EffectiveUpstream[];
  readonly routes: readonly EffectiveRoute[];
}

const pages = { manifest: "docs/reference/keys/manifest.md", filter: "docs/reference/keys/filter.md" };

/** @param onlyRoute this route, and the upstreams that it leads to */
export const describeTier = (
  { checked, serves }: CompiledTier,
  context: OriginContext,
  onlyRoute?: string,
): Effective => {
  const { source, manifest, shared, preset } = checked;
  const routes = checked.routes.filter(({ name }) => onlyRoute === undefined || name === onlyRoute);
  const used = new Set(onlyRoute === undefined ? Object.keys(checked.upstreams) : routes.flatMap(usedUpstreams));
  // Shown in separate sections.
  const { preset: _, filters: __, without: ___, upstreams: ____, routes: _____, ...frame } = manifest;
  const limits = { ...manifest.limits, concurrency: serves[0]?.plan.limits.concurrency };
  return {
    tier: manifest.tier,
    at: fileAndLine(source, ["tier"]),
    entries: effectiveValues(
      { ...frame, base: frame.base.strip ? frame.base : frame.base.path, limits },
      { source, at: [], page: pages.manifest, rowPrefix: [], shortKeys: [] },
      context,
    ),
    shared: shared.filters.map((it) => describeFilter(checked, it, context)),
    dropped: droppedByTier(checked, preset),
    upstreams: Object.keys(checked.upstreams)
      .filter((name) => used.has(name))
      .map((name) => describeUpstream(checked, name, context)),
    routes: routes.map((it) => describeRoute(checked, it, context)),
  };
};

const describeFilter = (
  { validations }: CheckedTier,
  { id, use, spec, config, mode, percent, when, source, entry, at }: CheckedFilter,
  context: OriginContext,
): EffectiveFilter => {
  const settings = { mode, percent, ...(when.length > 0 && { when: toWhen(when) }) };
  const page = `docs/reference/filters/${use}.md`;
  return {
    id,
    use,
    at: fileAndLine(source, entry),
    entries: [
      ...configEntries(config, { source, at, page, rowPrefix: [], shortKeys: spec.short ? [spec.short] : [] }, context),
      ...effectiveValues(
        settings,
        { source, at: entry, page: pages.filter, rowPrefix: [], shortKeys: ["exact"] },
        context,
      ),
    ],
    unchecked: (validations.get(id)?.notes ?? [])
      .filter(({ kind }) => kind !== "otherwise")
      .map(({ where, what }) => `${where}: ${what}`),
  };
};

/** The configuration's values; none for an empty one. */
const configEntries = (
  config: unknown,
  valueContext: Parameters<typeof effectiveValues>[1],
  context: OriginContext,
): EffectiveValue[] => effectiveValues(config, valueContext, context).filter(({ path }) => path.length > 0);

const describeUpstream = (
  { source, upstreams }: CheckedTier,
  name: string,
  context: OriginContext,
): EffectiveUpstream => {
  const { use, spec, config, timeout } = upstreams[name] as CheckedTier["upstreams"][string];
  const at: Path = ["upstreams", name];
  const page = `docs/reference/upstreams/${use}.md`;
  const valueContext = { source, at: [...at, use], page, rowPrefix: [], shortKeys: spec.short ? [spec.short] : [] };
  return {
    name,
    at: `${source.file}:${source.related(["upstreams"], "", name).line}`,
    entries: [
      ...configEntries(config, valueContext, context).map((it) => ({ ...it, path: [use, ...it.path] })),
      ...effectiveValues(
        { timeout },
        { source, at, page: "docs/reference/keys/upstream.md", rowPrefix: [], shortKeys: [] },
        context,
      ),
    ],
  };
};

const describeRoute = (tier: CheckedTier, route: CheckedRoute, context: OriginContext): EffectiveRoute => {
  const { source, shared } = tier;
  const { name, chain, methods, path } = route;
  const at: Path = ["routes", name];
  const { filters: _, without, ...settings } = routeSettings(route);
  const valueContext = { source, at, page: pages.manifest, rowPrefix: ["routes", name], shortKeys: ["to", "exact"] };
  return {
    name,
    at: `${source.file}:${source.related(["routes"], "", name).line}`,
    takes: `${methods.join(",")} ${path}`,
    gate: liftedRoutes(tier).find((it) => it.route === name)?.gate ?? gateOf(tier),
    entries: effectiveValues(settings, valueContext, context),
    filters: chain.map((it) => describeFilter(tier, it, context)),
    own: ownFilters(route).map(({ id }) => id),
    dropped: without.flatMap((id, index) => {
      const it = shared.filters.find((filter) => filter.id === id);
      return it ? [toDropped(it, fileAndLine(source, [...at, "without", index]))] : [];
    }),
  };
};

const droppedByTier = ({ source, manifest }: CheckedTier, preset: CheckedPreset | undefined): DroppedFilter[] =>
  manifest.without.flatMap((id, index) => {
    const it = preset?.filters.filters.find((filter) => filter.id === id);
    return it ? [toDropped(it, fileAndLine(source, ["without", index]))] : [];
  });

const toDropped = ({ id, source, entry }: CheckedFilter, by: string): DroppedFilter => ({
  id,
  at: fileAndLine(source, entry),
  by,
});
