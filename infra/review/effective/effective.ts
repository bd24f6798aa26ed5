/** The whole pipeline of a tier as it will run, in order, each value with the place that it comes from. */

import type { CompiledTier } from "../../compiler/compile.ts";
import { gateOf, liftedRoutes, upstreamsUsed } from "../../compiler/lower/gates.ts";
import type { CheckedFilter, CheckedPreset, CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { type Entry, entriesIn, placeOf, type World } from "./entries.ts";
import { ownFilters, routeSettings, whenOf } from "./expand.ts";

export interface EffectiveFilter {
  readonly id: string;
  readonly use: string;
  /** Where it stands: a preset's file, or the manifest. */
  readonly at: string;
  readonly entries: readonly Entry[];
  /** What its schemas say and it does not check: `iban: the format "iban" is not checked`. */
  readonly unchecked: readonly string[];
}

/** An inherited filter that does not run. */
export interface Dropped {
  readonly id: string;
  /** Where it stands. */
  readonly at: string;
  /** Where it is dropped. */
  readonly by: string;
}

export interface EffectiveUpstream {
  readonly name: string;
  readonly at: string;
  readonly entries: readonly Entry[];
}

export interface EffectiveRoute {
  readonly name: string;
  readonly at: string;
  /** `GET /wallet/v1/accounts/{id}` */
  readonly takes: string;
  /** The Worker that serves it, without the environment. */
  readonly gate: string;
  readonly entries: readonly Entry[];
  /** All that run, in order. */
  readonly filters: readonly EffectiveFilter[];
  /** Ids of those that it does not inherit. */
  readonly own: readonly string[];
  readonly dropped: readonly Dropped[];
}

export interface Effective {
  readonly tier: string;
  readonly at: string;
  readonly entries: readonly Entry[];
  /** What its routes inherit, in order. */
  readonly shared: readonly EffectiveFilter[];
  readonly dropped: readonly Dropped[];
  readonly upstreams: readonly EffectiveUpstream[];
  readonly routes: readonly EffectiveRoute[];
}

const pages = { manifest: "docs/reference/keys/manifest.md", filter: "docs/reference/keys/filter.md" };

/** @param only this route, and the upstreams that it leads to */
export const effectiveOf = ({ checked, serves }: CompiledTier, world: World, only?: string): Effective => {
  const { source, manifest, shared, preset } = checked;
  const routes = checked.routes.filter(({ name }) => only === undefined || name === only);
  const used = new Set(only === undefined ? Object.keys(checked.upstreams) : routes.flatMap(upstreamsUsed));
  // These have parts of their own below.
  const { preset: _, filters: __, without: ___, upstreams: ____, routes: _____, ...frame } = manifest;
  const limits = { ...manifest.limits, concurrency: serves[0]?.plan.limits.concurrency };
  return {
    tier: manifest.tier,
    at: placeOf(source, ["tier"]),
    entries: entriesIn({ ...frame, limits }, { source, at: [], page: pages.manifest, rows: [], short: [] }, world),
    shared: shared.filters.map((it) => filterOf(checked, it, world)),
    dropped: droppedByTier(checked, preset),
    upstreams: Object.keys(checked.upstreams)
      .filter((name) => used.has(name))
      .map((name) => upstreamOf(checked, name, world)),
    routes: routes.map((it) => routeOf(checked, it, world)),
  };
};

const filterOf = (
  { validations }: CheckedTier,
  { id, use, about, config, mode, percent, when, source, entry, at }: CheckedFilter,
  world: World,
): EffectiveFilter => {
  const settings = { mode, percent, ...(when.length > 0 && { when: whenOf(when) }) };
  const page = `docs/reference/filters/${use}.md`;
  return {
    id,
    use,
    at: placeOf(source, entry),
    entries: [
      ...configOf(config, { source, at, page, rows: [], short: about.short ? [about.short] : [] }, world),
      ...entriesIn(settings, { source, at: entry, page: pages.filter, rows: [], short: ["exact"] }, world),
    ],
    unchecked: (validations.get(id)?.notes ?? [])
      .filter(({ kind }) => kind !== "otherwise")
      .map(({ where, what }) => `${where}: ${what}`),
  };
};

/** A part that takes nothing has nothing to show. */
const configOf = (config: unknown, holder: Parameters<typeof entriesIn>[1], world: World): Entry[] =>
  entriesIn(config, holder, world).filter(({ path }) => path.length > 0);

const upstreamOf = ({ source, upstreams }: CheckedTier, name: string, world: World): EffectiveUpstream => {
  const { use, about, config, timeout } = upstreams[name] as CheckedTier["upstreams"][string];
  const at: Path = ["upstreams", name];
  const page = `docs/reference/upstreams/${use}.md`;
  const holder = { source, at: [...at, use], page, rows: [], short: about.short ? [about.short] : [] };
  return {
    name,
    at: `${source.file}:${source.related(["upstreams"], "", name).line}`,
    entries: [
      ...configOf(config, holder, world).map((it) => ({ ...it, path: [use, ...it.path] })),
      ...entriesIn({ timeout }, { source, at, page: "docs/reference/keys/upstream.md", rows: [], short: [] }, world),
    ],
  };
};

const routeOf = (tier: CheckedTier, route: CheckedRoute, world: World): EffectiveRoute => {
  const { source, shared } = tier;
  const { name, chain, methods, path } = route;
  const at: Path = ["routes", name];
  const { filters: _, without, ...settings } = routeSettings(route);
  const holder = { source, at, page: pages.manifest, rows: ["routes", name], short: ["to", "exact"] };
  return {
    name,
    at: `${source.file}:${source.related(["routes"], "", name).line}`,
    takes: `${methods.join(",")} ${path}`,
    gate: liftedRoutes(tier).find((it) => it.route === name)?.gate ?? gateOf(tier),
    entries: entriesIn(settings, holder, world),
    filters: chain.map((it) => filterOf(tier, it, world)),
    own: ownFilters(route).map(({ id }) => id),
    dropped: without.flatMap((id, index) => {
      const it = shared.filters.find((filter) => filter.id === id);
      return it ? [droppedAt(it, placeOf(source, [...at, "without", index]))] : [];
    }),
  };
};

const droppedByTier = ({ source, manifest }: CheckedTier, preset: CheckedPreset | undefined): Dropped[] =>
  manifest.without.flatMap((id, index) => {
    const it = preset?.filters.filters.find((filter) => filter.id === id);
    return it ? [droppedAt(it, placeOf(source, ["without", index]))] : [];
  });

const droppedAt = ({ id, source, entry }: CheckedFilter, by: string): Dropped => ({
  id,
  at: placeOf(source, entry),
  by,
});
