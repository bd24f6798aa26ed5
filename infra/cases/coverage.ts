/** What of a tier's policy there is to try, where it stands, and what no case has tried. */

import { preflightMethod } from "../../functions/gateway/http/preflight.ts";
import { finder } from "../../functions/gateway/routing/finder.ts";
import { tableOf } from "../../functions/gateway/routing/route-table.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../compiler/model/checked.ts";
import { groundOf } from "../explain/source-of.ts";
import { placeOf } from "../review/effective/entries.ts";
import { mark, type Send } from "./input/batch.ts";

/** One thing that a case should try. */
export interface Branch {
  readonly mark: string;
  readonly kind: keyof typeof kinds;
  /** As a sentence without its subject: `jwt passes`. */
  readonly says: string;
  /** Where it stands: `routes/wallet.yaml:13`. */
  readonly at: string;
}

/** What there is to try, and how a count of it is called. */
export const kinds = {
  route: "routes",
  filter: "filters on routes",
  refusal: "refusals",
  condition: "conditions",
  share: "shares",
} as const;

export interface Coverage {
  readonly branches: readonly Branch[];
  readonly untried: readonly Branch[];
}

export const coverageOf = (tier: CheckedTier, tried: ReadonlySet<string>): Coverage => {
  const branches = branchesOf(tier);
  return { branches, untried: branches.filter((it) => !tried.has(it.mark)) };
};

/** Of all branches, in per cent with one decimal; nothing to try is all tried. */
export const percentOf = (all: readonly Coverage[]): number => {
  const sum = (list: (it: Coverage) => readonly Branch[]) => all.reduce((total, it) => total + list(it).length, 0);
  const there = sum(({ branches }) => branches);
  if (there === 0) return 100;
  // Rounded down, so that 100 means all.
  return Math.floor((1 - sum(({ untried }) => untried) / there) * 1000) / 10;
};

const branchesOf = (tier: CheckedTier): Branch[] => {
  const filters = new Map(
    tier.routes.flatMap(({ chain, settings }) => (settings.closed ? [] : chain.map((it) => [it.id, it] as const))),
  );
  return [...tier.routes.flatMap((route) => ofRoute(tier, route)), ...[...filters.values()].flatMap(ofFilter)];
};

const ofRoute = ({ source }: CheckedTier, route: CheckedRoute): Branch[] => {
  const { name, chain, settings, when } = route;
  const at = (key: string) => placeOf(source, ["routes", name, key]);
  const { to, cutover, closed } = settings;
  const shares = Array.isArray(to) ? to.flatMap((it) => Object.entries(it)).filter(([, weight]) => weight > 0) : [];
  const running = closed ? [] : chain.filter(({ mode }) => mode !== "off");
  return [
    { mark: mark("route", name), kind: "route", says: `${name} is asked for, and answers`, at: at("match") },
    ...(when.length > 0
      ? [
          {
            mark: mark("otherwise", name),
            kind: "condition",
            says: `${name} is asked for, its conditions unmet`,
            at: at("when"),
          } as const,
        ]
      : []),
    ...running.map(
      (it): Branch => ({
        mark: mark("filter", name, it.id),
        kind: "filter",
        says: `${it.id} lets a request of ${name} pass`,
        at: lineOf(it),
      }),
    ),
    ...shares.map(
      ([upstream]): Branch => ({
        mark: mark("weight", name, upstream),
        kind: "share",
        says: `${name} goes to ${upstream}`,
        at: at("to"),
      }),
    ),
    ...(cutover && !closed
      ? (["legacy", "gate"] as const).map(
          (side): Branch => ({
            mark: mark("side", name, side),
            kind: "share",
            says: `${name} is served by the ${side === "gate" ? "gate itself" : "old gateway"}`,
            at: at("cutover"),
          }),
        )
      : []),
  ];
};

const ofFilter = (filter: CheckedFilter): Branch[] => {
  const { id, about, mode, percent, when } = filter;
  if (mode === "off") return [];
  const codes = givenBy(filter);
  return [
    ...codes.map(
      (code): Branch => ({
        mark: mark("refusal", id, code),
        kind: "refusal",
        says: `${id} refuses: ${code}`,
        at: groundOf(filter, code).at,
      }),
    ),
    ...(when.length > 0
      ? [
          {
            mark: mark("unless", id),
            kind: "condition",
            says: `${id} is skipped by its \`when\``,
            at: lineOf(filter),
          } as const,
        ]
      : []),
    ...(Number.parseFloat(percent) < 100 && about.kind === "guard"
      ? [
          {
            mark: mark("others", id),
            kind: "share",
            says: `${id} spares those beyond its percent`,
            at: lineOf(filter),
          } as const,
        ]
      : []),
  ];
};

/** The codes that a filter can give as it is configured. */
const givenBy = ({ about, config }: CheckedFilter): string[] => {
  const never = new Set(about.never?.(config) ?? []);
  const isThere = (key: string) => (config as Readonly<Record<string, unknown>>)[key] !== undefined;
  return Object.keys(about.codes).filter((code) => !never.has(code) && (about.stands?.[code]?.some(isThere) ?? true));
};

const lineOf = ({ source, entry }: CheckedFilter): string => placeOf(source, entry);

/** Routes that would have taken a request, had it met their conditions. */
export const otherwise = ({ routes }: CheckedTier): ((send: Send, taken: ReadonlySet<string>) => string[]) => {
  const conditional = routes
    .filter(({ when }) => when.length > 0)
    .map(({ name, methods, path, settings }) => {
      const table = tableOf([{ route: name, methods, path }]);
      return { name, ...finder({ table, ...(settings["encoded-slashes"] === "keep" && { slashes: table }) }) };
    });
  if (conditional.length === 0) return () => [];
  return ({ method, url, headers }, taken) => {
    // No route takes these, and Node makes no such request (Fetch, forbidden methods).
    if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) return [];
    const at = new URL(url);
    const request = new Request(at, { method, headers });
    const asked = preflightMethod(request) ?? method;
    return conditional
      .filter(({ name }) => !taken.has(name))
      .filter(({ canonical, find }) => {
        const path = canonical(at.pathname);
        return path !== undefined && find(asked, path, request, at)?.kind === "found";
      })
      .map(({ name }) => mark("otherwise", name));
  };
};
