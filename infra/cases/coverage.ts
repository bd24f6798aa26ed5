/** Policy coverage: lists the branches of a tier's policy, and which of them the cases reach. */

import type { Persona } from "../../functions/gateway/hooks/credentials.ts";
import { preflightMethod } from "../../functions/gateway/http/preflight.ts";
import { createRouteFinder } from "../../functions/gateway/routing/finder.ts";
import { buildRouteTable } from "../../functions/gateway/routing/route-table.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier } from "../compiler/model/checked.ts";
import { sourceOfCode } from "../explain/source-of.ts";
import { fileAndLine } from "../review/effective/entries.ts";
import { coverageMark, type Send } from "./input/batch.ts";
import type { StepConfig } from "./input/language.ts";

/** One branch of the policy that a case should reach. */
export interface Branch {
  readonly mark: string;
  readonly kind: keyof typeof branchKinds;
  /** In words: `jwt passes a request of balance`. */
  readonly says: string;
  /** Location: `routes/wallet.yaml:13`. */
  readonly at: string;
}

/** Kinds of branches, and the table headings of their counts. */
export const branchKinds = {
  route: "routes",
  filter: "filters on routes",
  refusal: "refusals",
  condition: "conditions",
  share: "shares",
  credential: "credentials",
} as const;

export interface Coverage {
  readonly branches: readonly Branch[];
  readonly untried: readonly Branch[];
}

export const coverageOf = (tier: CheckedTier, visited: ReadonlySet<string>): Coverage => {
  const branches = listBranches(tier);
  return { branches, untried: branches.filter((it) => !visited.has(it.mark)) };
};

/** Coverage in percent with one decimal; 100 if there are no branches. */
export const percentOf = (all: readonly Coverage[]): number => {
  const sum = (list: (it: Coverage) => readonly Branch[]) => all.reduce((total, it) => total + list(it).length, 0);
  const branchCount = sum(({ branches }) => branches);
  if (branchCount === 0) return 100;
  // Rounded down, so that 100 means all.
  return Math.floor((1 - sum(({ untried }) => untried) / branchCount) * 1000) / 10;
};

const listBranches = (tier: CheckedTier): Branch[] => {
  const filters = new Map(
    tier.routes.flatMap(({ chain, settings }) => (settings.closed ? [] : chain.map((it) => [it.id, it] as const))),
  );
  return [
    ...tier.routes.flatMap((route) => routeBranches(tier, route)),
    ...[...filters.values()].flatMap(filterBranches),
  ];
};

const routeBranches = ({ source }: CheckedTier, route: CheckedRoute): Branch[] => {
  const { name, chain, settings, when } = route;
  const at = (key: string) => fileAndLine(source, ["routes", name, key]);
  const { to, cutover, closed } = settings;
  const weighted = Array.isArray(to) ? to.flatMap((it) => Object.entries(it)).filter(([, weight]) => weight > 0) : [];
  const activeFilters = closed ? [] : chain.filter(({ mode }) => mode !== "off");
  return [
    { mark: coverageMark("route", name), kind: "route", says: `${name} answers a request`, at: at("match") },
    ...(when.length > 0
      ? [
          {
            mark: coverageMark("otherwise", name),
            kind: "condition",
            says: `a request misses the conditions of ${name}`,
            at: at("when"),
          } as const,
        ]
      : []),
    ...activeFilters.map(
      (it): Branch => ({
        mark: coverageMark("filter", name, it.id),
        kind: "filter",
        says: `${it.id} passes a request of ${name}`,
        at: filterLine(it),
      }),
    ),
    ...weighted.map(
      ([upstream]): Branch => ({
        mark: coverageMark("weight", name, upstream),
        kind: "share",
        says: `${name} goes to ${upstream}`,
        at: at("to"),
      }),
    ),
    ...(cutover && !closed
      ? (["legacy", "gate"] as const).map(
          (side): Branch => ({
            mark: coverageMark("side", name, side),
            kind: "share",
            says: `${name} is served by the ${side === "gate" ? "gate itself" : "old gateway"}`,
            at: at("cutover"),
          }),
        )
      : []),
  ];
};

const filterBranches = (filter: CheckedFilter): Branch[] => {
  const { id, spec, mode, percent, when } = filter;
  if (mode === "off") return [];
  const codes = possibleCodes(filter);
  return [
    ...followedKeys(filter).map(
      (key): Branch => ({
        mark: coverageMark("states", id, key),
        kind: "credential",
        says: `a case states the ${key} that ${id} accepts`,
        at: fileAndLine(filter.source, [...filter.at, key]),
      }),
    ),
    ...codes.map(
      (code): Branch => ({
        mark: coverageMark("refusal", id, code),
        kind: "refusal",
        says: `${id} refuses: ${code}`,
        at: sourceOfCode(filter, code).at,
      }),
    ),
    ...(when.length > 0
      ? [
          {
            mark: coverageMark("unless", id),
            kind: "condition",
            says: `${id} is skipped by its \`when\``,
            at: filterLine(filter),
          } as const,
        ]
      : []),
    ...(Number.parseFloat(percent) < 100 && spec.kind === "guard"
      ? [
          {
            mark: coverageMark("others", id),
            kind: "share",
            says: `${id} skips users outside its percent`,
            at: filterLine(filter),
          } as const,
        ]
      : []),
  ];
};

/** Keys whose values credentials copy from the configuration. A wrong one goes undetected unless a case states it. */
const followedKeys = ({ spec, config }: CheckedFilter): string[] =>
  Object.entries(spec.credentials?.persona?.follows?.(config) ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [key],
  );

/** Marks of the values that a case states of its credential, of filters that let the request pass. */
export const statedValueMarks = ({
  routes,
}: CheckedTier): ((as: StepConfig["as"], passed: ReadonlySet<string>) => string[]) => {
  const filters = [...new Map(routes.flatMap(({ chain }) => chain.map((it) => [it.id, it]))).values()];
  const following = filters.filter((it) => followedKeys(it).length > 0);
  return (as, passed) =>
    typeof as !== "object"
      ? []
      : following
          .filter(({ id }) => routes.some(({ name }) => passed.has(coverageMark("filter", name, id))))
          .flatMap((filter) => {
            const stated = Object((as as Persona)[filter.spec.credentials?.persona?.key ?? ""]);
            return followedKeys(filter)
              .filter((key) => stated[key] !== undefined)
              .map((key) => coverageMark("states", filter.id, key));
          });
};

/** The refusal codes that are possible with the filter's configuration. */
const possibleCodes = ({ spec, config }: CheckedFilter): string[] => {
  const never = new Set(spec.impossibleCodes?.(config) ?? []);
  const isSet = (key: string) => (config as Readonly<Record<string, unknown>>)[key] !== undefined;
  return Object.keys(spec.codes).filter((code) => !never.has(code) && (spec.keysOfCode?.[code]?.some(isSet) ?? true));
};

const filterLine = ({ source, entry }: CheckedFilter): string => fileAndLine(source, entry);

/** Returns the routes that would match a request if their conditions were met. */
export const unmetConditionMarks = ({
  routes,
}: CheckedTier): ((send: Send, takenRoutes: ReadonlySet<string>) => string[]) => {
  const conditional = routes
    .filter(({ when }) => when.length > 0)
    .map(({ name, methods, path, settings }) => {
      const table = buildRouteTable([{ route: name, methods, path }]);
      return {
        name,
        ...createRouteFinder({ table, ...(settings["encoded-slashes"] === "keep" && { slashes: table }) }),
      };
    });
  if (conditional.length === 0) return () => [];
  return ({ method, url, headers }, takenRoutes) => {
    // No route matches these methods, and Node cannot create such requests (Fetch, forbidden methods).
    if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) return [];
    const at = new URL(url);
    const request = new Request(at, { method, headers });
    const requestedMethod = preflightMethod(request) ?? method;
    return conditional
      .filter(({ name }) => !takenRoutes.has(name))
      .filter(({ canonical, find }) => {
        const path = canonical(at.pathname);
        return path !== undefined && find(requestedMethod, path, request, at)?.kind === "found";
      })
      .map(({ name }) => coverageMark("otherwise", name));
  };
};
