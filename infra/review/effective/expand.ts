/** Expands a manifest: preset filters, defaults and environment values are written out. The result compiles to the same plan. */
import type { Matcher } from "../../../functions/gateway/routing/matchers.ts";
import type { CompiledTier } from "../../compiler/compile.ts";
import { usedUpstreams } from "../../compiler/lower/gates.ts";
import { normalizeRedirect } from "../../compiler/lower/lower.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";

/** @param onlyRoute this route, with what it inherits and nothing that it does not use */
export const expandManifest = ({ checked, serves }: CompiledTier, onlyRoute?: string): Record<string, unknown> => {
  const { manifest, shared, routes } = checked;
  const { preset: _, without: __, filters: ___, routes: ____, upstreams: _____, limits, ...frame } = manifest;
  const selectedRoutes = routes.filter(({ name }) => onlyRoute === undefined || name === onlyRoute);
  const droppedIds = onlyRoute === undefined ? [] : selectedRoutes.flatMap(({ settings }) => settings.without);
  return {
    ...frame,
    limits: { ...limits, concurrency: serves[0]?.plan.limits.concurrency },
    filters: shared.filters.filter(({ id }) => !droppedIds.includes(id)).map((it) => expandFilter(it, "")),
    upstreams: expandUpstreams(checked, onlyRoute === undefined ? undefined : selectedRoutes),
    routes: Object.fromEntries(selectedRoutes.map((it) => [it.name, expandRoute(it, onlyRoute === undefined)])),
  };
};

const expandUpstreams = ({ upstreams }: CheckedTier, usingRoutes: readonly CheckedRoute[] | undefined) =>
  Object.fromEntries(
    Object.entries(upstreams)
      .filter(([name]) => usingRoutes === undefined || usingRoutes.some((it) => usedUpstreams(it).includes(name)))
      .map(([name, { use, config, timeout }]) => [name, { [use]: config, timeout }]),
  );

/** A route's own filters. */
export const ownFilters = ({ chain, name }: CheckedRoute): CheckedFilter[] =>
  chain.filter(({ entry }) => entry[0] === "routes" && entry[1] === name);

const expandFilter = ({ id, use, config, mode, percent, when }: CheckedFilter, prefix: string) => ({
  [use]: config,
  id: id.slice(prefix.length),
  mode,
  percent,
  ...(when.length > 0 && { when: toWhen(when) }),
});

const expandRoute = (route: CheckedRoute, inherits: boolean) => {
  const { filters: _, ...settings } = routeSettings(route);
  return {
    ...settings,
    without: inherits ? route.settings.without : [],
    filters: ownFilters(route).map((it) => expandFilter(it, `${route.name}/`)),
  };
};

/** A route's keys, its short forms expanded. */
export const routeSettings = ({ settings, when }: CheckedRoute) => ({
  ...settings,
  ...(when.length > 0 && { when: toWhen(when) }),
  ...(settings.redirect !== undefined && { redirect: normalizeRedirect(settings.redirect) }),
});

/** Conditions as a manifest has them, in full. */
export const toWhen = (tests: readonly Matcher[]): Record<string, unknown> => {
  const groups = Map.groupBy(tests, ([on]) => on);
  return Object.fromEntries(
    [...groups].map(([on, sameSource]) => [
      on,
      sameSource[0]?.[1] === ""
        ? sameSource[0]?.[3]
        : Object.fromEntries(sameSource.map(([, name, is, value]) => [name, value === "" ? is : { [is]: value }])),
    ]),
  );
};
