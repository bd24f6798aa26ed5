/** A manifest with everything in it that runs: the preset's filters, each default, the environment's values. It means the same. */
import type { Test } from "../../../functions/gateway/routing/matchers.ts";
import type { CompiledTier } from "../../compiler/compile.ts";
import { upstreamsUsed } from "../../compiler/lower/gates.ts";
import { redirectOf } from "../../compiler/lower/lower.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";

/** @param only this route, with what it inherits and nothing that it does not use */
export const expanded = ({ checked, serves }: CompiledTier, only?: string): Record<string, unknown> => {
  const { manifest, shared, routes } = checked;
  const { preset: _, without: __, filters: ___, routes: ____, upstreams: _____, limits, ...frame } = manifest;
  const chosen = routes.filter(({ name }) => only === undefined || name === only);
  const drops = only === undefined ? [] : chosen.flatMap(({ settings }) => settings.without);
  return {
    ...frame,
    limits: { ...limits, concurrency: serves[0]?.plan.limits.concurrency },
    filters: shared.filters.filter(({ id }) => !drops.includes(id)).map((it) => filterOf(it, "")),
    upstreams: upstreamsOf(checked, only === undefined ? undefined : chosen),
    routes: Object.fromEntries(chosen.map((it) => [it.name, routeOf(it, only === undefined)])),
  };
};

const upstreamsOf = ({ upstreams }: CheckedTier, users: readonly CheckedRoute[] | undefined) =>
  Object.fromEntries(
    Object.entries(upstreams)
      .filter(([name]) => users === undefined || users.some((it) => upstreamsUsed(it).includes(name)))
      .map(([name, { use, config, timeout }]) => [name, { [use]: config, timeout }]),
  );

/** A route's own filters, behind those that it inherits. */
export const ownFilters = ({ chain, name }: CheckedRoute): CheckedFilter[] =>
  chain.filter(({ entry }) => entry[0] === "routes" && entry[1] === name);

const filterOf = ({ id, use, config, mode, percent, when }: CheckedFilter, prefix: string) => ({
  [use]: config,
  id: id.slice(prefix.length),
  mode,
  percent,
  ...(when.length > 0 && { when: whenOf(when) }),
});

const routeOf = (route: CheckedRoute, inherits: boolean) => {
  const { filters: _, ...settings } = routeSettings(route);
  return {
    ...settings,
    without: inherits ? route.settings.without : [],
    filters: ownFilters(route).map((it) => filterOf(it, `${route.name}/`)),
  };
};

/** A route's keys, its short forms expanded. */
export const routeSettings = ({ settings, when }: CheckedRoute) => ({
  ...settings,
  ...(when.length > 0 && { when: whenOf(when) }),
  ...(settings.redirect !== undefined && { redirect: redirectOf(settings.redirect) }),
});

/** Conditions as a manifest has them, in full. */
export const whenOf = (tests: readonly Test[]): Record<string, unknown> => {
  const groups = Map.groupBy(tests, ([on]) => on);
  return Object.fromEntries(
    [...groups].map(([on, some]) => [
      on,
      some[0]?.[1] === ""
        ? some[0]?.[3]
        : Object.fromEntries(some.map(([, name, is, value]) => [name, value === "" ? is : { [is]: value }])),
    ]),
  );
};
