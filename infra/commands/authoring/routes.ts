/** `postern routes`: lists the routes. */

import { compile } from "../../compiler/compile.ts";
import { gateOf, liftedRoutes } from "../../compiler/lower/gates.ts";
import { describeRedirect, normalizeRedirect } from "../../compiler/lower/lower.ts";
import { workerName } from "../../compiler/lower/platform.ts";
import type { CheckedRoute, CheckedTier } from "../../compiler/model/checked.ts";
import { renderProblems } from "../../diagnostics/report.ts";
import { describeWhen } from "../../explain/why-not.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

export const routes = ({ root, env }: { readonly root: string; readonly env: string }): Outcome => {
  const compiled = compile(root, env);
  const list = compiled.tiers.flatMap(({ checked }) => {
    const { manifest, routes } = checked;
    return routes.map((route) => ({
      route: `${manifest.tier}/${route.name}`,
      methods: route.methods,
      hosts: manifest.hosts,
      path: route.path,
      when: route.when,
      filters: route.chain.map(({ id }) => id),
      gate: workerName(gateOfRoute(checked, route), env),
      ...withCutover(route, destinationOf(route)),
    }));
  });
  const rows = list.map(({ route, methods, path, when, filters, goes, gate }) => [
    route,
    methods.join(","),
    path,
    describeWhen(when),
    filters.join(" ") || "-",
    goes,
    gate,
  ]);
  return {
    exitCode: compiled.problems.length > 0 ? 1 : 0,
    text: [
      table(["route", "method", "path", "when", "filters", "to", "gate"], rows),
      renderProblems(compiled.problems, compiled),
    ]
      .filter(Boolean)
      .join("\n"),
    data: { routes: list, problems: compiled.problems },
  };
};

const gateOfRoute = (tier: CheckedTier, { name }: CheckedRoute): string =>
  liftedRoutes(tier).find(({ route }) => route === name)?.gate ?? gateOf(tier);

const withCutover = <T extends { readonly goes: string }>({ settings: { cutover } }: CheckedRoute, it: T) =>
  cutover ? { ...it, cutover, goes: `${it.goes} (${cutover.percent} of users, else ${cutover.legacy})` } : it;

const destinationOf = ({ settings: { to, respond, redirect } }: CheckedRoute) => {
  if (typeof to === "string") return { to, goes: to };
  if (to) return { to, goes: to.map((it) => Object.entries(it).flat().join(" ")).join(", ") };
  if (respond) return { respond, goes: `respond ${respond.status}` };
  return { redirect, goes: `redirect ${redirect === undefined ? "" : describeRedirect(normalizeRedirect(redirect))}` };
};
