/** Rules for references: each reads a capture of the match, or a value that an earlier filter always provides. */

import { type Reference, referencesIn } from "../../../../functions/gateway/core/references.ts";
import { capturesIn } from "../../../../functions/gateway/routing/match.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { deduplicate, type Problem } from "../../../diagnostics/problem.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, CheckInputs } from "../../model/checked.ts";
import { isBroken } from "../../model/salvage.ts";
import { mayBeEnforced } from "./enforced.ts";

export const checkReferences = (tier: CheckedTier, inputs: CheckInputs): Problem[] =>
  deduplicate(tier.routes, (route) => referenceUses(tier, route).flatMap((it) => checkBound(it, tier, route, inputs)));

/** A text with references, and the filters that run before it. */
interface ReferenceUse {
  readonly label: string;
  readonly text: string;
  readonly source: Source;
  readonly at: Path;
  readonly ahead: readonly CheckedFilter[];
}

const referenceUses = ({ source }: CheckedTier, { name, chain, settings }: CheckedRoute): ReferenceUse[] => {
  const { path, redirect } = settings;
  const at = ["routes", name];
  const own: ReferenceUse[] = [];
  if (path !== undefined) own.push({ label: "path", text: path, source, at: [...at, "path"], ahead: chain });
  if (typeof redirect === "string")
    own.push({ label: "redirect", text: redirect, source, at: [...at, "redirect"], ahead: chain });
  else if (redirect)
    for (const key of ["to", "path"] as const) {
      const text = redirect[key];
      if (text !== undefined) own.push({ label: "redirect", text, source, at: [...at, "redirect", key], ahead: chain });
    }
  return [
    ...own,
    ...chain.flatMap((filter, index) =>
      filterReferences(filter).map(({ path, text }) => ({
        label: filter.use,
        text,
        source: filter.source,
        at: [...filter.at, ...path],
        ahead: chain.slice(0, index),
      })),
    ),
  ];
};

/** The references of a filter's configuration, without those in broken keys. */
const filterReferences = ({ spec, config, broken }: CheckedFilter) =>
  config === undefined
    ? []
    : [...(spec.references?.(config) ?? []), ...(spec.reads?.(config) ?? [])].filter(
        ({ path }) => !isBroken(broken.config, ...path),
      );

const checkBound = (
  { label, text, source, at, ahead }: ReferenceUse,
  tier: CheckedTier,
  route: CheckedRoute,
  { registry }: CheckInputs,
): (readonly [string, Problem])[] =>
  referencesIn(text).flatMap((reference) => {
    if (!isDecidable(reference, route)) return [];
    const missing = whyUnbound(reference, capturesIn(route.segments), ahead);
    if (!missing) return [];
    const message = `${label} reads ${reference.source}.${reference.name}, but ${missing} on ${route.name}`;
    const dropped = droppedProviders(reference, tier, route);
    const providers = Object.entries(registry.filters)
      .filter(([, { provides }]) => provides?.includes(reference.source))
      .map(([name]) => name);
    const remedy =
      reference.source === "path"
        ? "capture it in the match, or read another value"
        : `put ${joinOr(providers)} before it, or read another value`;
    return [
      [
        `${reference.source}.${reference.name}`,
        source.problem(at, "reference-unbound", message, { remedy, related: dropped }),
      ],
    ];
  });

/** `api-key, jwt or signature` */
const joinOr = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names.join();

/** The locations where the route drops a filter that would provide the value. */
const droppedProviders = (
  { source: wanted }: Reference,
  { source, shared }: CheckedTier,
  { name, settings }: CheckedRoute,
) =>
  shared.filters
    .filter(({ id, spec }) => settings.without.includes(id) && spec.provides?.includes(wanted))
    .map(({ id }) =>
      source.related(["routes", name, "without", settings.without.indexOf(id)], `${name} drops ${id} here`),
    );

/** Whether the reference can be checked; broken parts have their own problems. */
const isDecidable = ({ source }: Reference, { broken, hasUnknownFilters }: CheckedRoute): boolean =>
  source === "path" ? !isBroken(broken, "match") : !hasUnknownFilters;

/** Why a reference is unbound, or undefined if it is bound. */
const whyUnbound = (
  { source, name }: Reference,
  captured: readonly string[],
  ahead: readonly CheckedFilter[],
): string | undefined => {
  if (source === "path" && !captured.includes(name))
    return captured.length > 0 ? `the match captures only ${captured.join(", ")}` : "the match captures nothing";
  if (source !== "consumer" && source !== "claim") return undefined;
  if (ahead.some((it) => mayBeEnforced(it) && it.spec.provides?.includes(source))) return undefined;
  return source === "consumer"
    ? "no earlier filter always identifies a consumer"
    : "no earlier filter always verifies a token";
};
