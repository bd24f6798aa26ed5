/** References: each to what the match captures, or to what a filter ahead is sure to provide. */

import { type Reference, referencesIn } from "../../../../functions/gateway/core/references.ts";
import { capturesIn } from "../../../../functions/gateway/routing/match.ts";
import type { Path } from "../../../diagnostics/locate.ts";
import { once, type Problem } from "../../../diagnostics/problem.ts";
import type { Source } from "../../../diagnostics/source.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, Surroundings } from "../../model/checked.ts";
import { touches } from "../../model/salvage.ts";
import { mayBeEnforced } from "./enforced.ts";

export const referencesHold = (tier: CheckedTier, surroundings: Surroundings): Problem[] =>
  once(tier.routes, (route) => readersOf(tier, route).flatMap((it) => unbound(it, tier, route, surroundings)));

/** A text with references, and what stands ahead of it. */
interface Reader {
  readonly called: string;
  readonly text: string;
  readonly source: Source;
  readonly at: Path;
  readonly ahead: readonly CheckedFilter[];
}

const readersOf = ({ source }: CheckedTier, { name, chain, settings }: CheckedRoute): Reader[] => {
  const { path, redirect } = settings;
  const at = ["routes", name];
  const own: Reader[] = [];
  if (path !== undefined) own.push({ called: "path", text: path, source, at: [...at, "path"], ahead: chain });
  if (typeof redirect === "string")
    own.push({ called: "redirect", text: redirect, source, at: [...at, "redirect"], ahead: chain });
  else if (redirect)
    for (const key of ["to", "path"] as const) {
      const text = redirect[key];
      if (text !== undefined)
        own.push({ called: "redirect", text, source, at: [...at, "redirect", key], ahead: chain });
    }
  return [
    ...own,
    ...chain.flatMap((filter, index) =>
      writtenBy(filter).map(({ path, text }) => ({
        called: filter.use,
        text,
        source: filter.source,
        at: [...filter.at, ...path],
        ahead: chain.slice(0, index),
      })),
    ),
  ];
};

/** What a filter reads of a request, less what only a default says in place of something broken. */
const writtenBy = ({ about, config, broken }: CheckedFilter) =>
  config === undefined
    ? []
    : [...(about.references?.(config) ?? []), ...(about.needs?.(config) ?? [])].filter(
        ({ path }) => !touches(broken.config, ...path),
      );

const unbound = (
  { called, text, source, at, ahead }: Reader,
  tier: CheckedTier,
  route: CheckedRoute,
  { registry }: Surroundings,
): (readonly [string, Problem])[] =>
  referencesIn(text).flatMap((reference) => {
    if (!isKnown(reference, route)) return [];
    const missing = lacking(reference, capturesIn(route.segments), ahead);
    if (!missing) return [];
    const message = `${called} reads ${reference.source}.${reference.name}, but ${missing} on ${route.name}`;
    const dropped = droppedProvider(reference, tier, route);
    const providers = Object.entries(registry.filters)
      .filter(([, { provides }]) => provides?.includes(reference.source))
      .map(([name]) => name);
    const remedy =
      reference.source === "path"
        ? "capture it in the match, or read another value"
        : `put ${oneOf(providers)} ahead, or read another value`;
    return [
      [
        `${reference.source}.${reference.name}`,
        source.problem(at, "reference-unbound", message, { remedy, related: dropped }),
      ],
    ];
  });

/** `api-key, jwt or signature` */
const oneOf = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names.join();

/** Where a route drops the filter that would have known. */
const droppedProvider = (
  { source: wanted }: Reference,
  { source, shared }: CheckedTier,
  { name, settings }: CheckedRoute,
) =>
  shared.filters
    .filter(({ id, about }) => settings.without.includes(id) && about.provides?.includes(wanted))
    .map(({ id }) =>
      source.related(["routes", name, "without", settings.without.indexOf(id)], `${name} drops ${id} here`),
    );

/** Whether it is known what a reference could be bound to: what is broken has its own problem. */
const isKnown = ({ source }: Reference, { broken, unknownFilters }: CheckedRoute): boolean =>
  source === "path" ? !touches(broken, "match") : !unknownFilters;

/** What a reference lacks, or undefined when it is bound. */
const lacking = (
  { source, name }: Reference,
  captured: readonly string[],
  ahead: readonly CheckedFilter[],
): string | undefined => {
  if (source === "path" && !captured.includes(name))
    return captured.length > 0 ? `the match captures only ${captured.join(", ")}` : "the match captures nothing";
  if (source !== "consumer" && source !== "claim") return undefined;
  if (ahead.some((it) => mayBeEnforced(it) && it.about.provides?.includes(source))) return undefined;
  return source === "consumer"
    ? "no filter ahead is sure to identify a consumer"
    : "no filter ahead is sure to verify a token";
};
