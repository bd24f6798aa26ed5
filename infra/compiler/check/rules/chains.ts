/** The filters of a route, in the order in which they run. */

import type { Path } from "../../../diagnostics/locate.ts";
import { once, type Problem } from "../../../diagnostics/problem.ts";
import { choice } from "../../../diagnostics/schema-issues.ts";
import type { CheckedFilter, CheckedFilters, CheckedRoute, CheckedTier, Surroundings } from "../../model/checked.ts";
import { touches } from "../../model/salvage.ts";
import { mayBeEnforced, speaksForCaller } from "./enforced.ts";

export const chainsHold = (tier: CheckedTier, surroundings: Surroundings): Problem[] => [
  ...droppedAreInherited(tier),
  ...once(tier.routes, (route) => {
    const problems = [
      ...idsAreDistinct(route),
      ...route.chain.flatMap((it) => [...guardsOnly(it), ...namespacesHaveIds(it, surroundings)]),
      ...orderHolds(route),
      // A filter of no known kind has its own problem; what it would have done for the others is not missing as well.
      ...(route.unknownFilters ? [] : [...identityIsEnforced(route), ...bodiesAreBounded(tier, route)]),
    ];
    return problems.map((it) => ["", it] as const);
  }),
];

const idsAreDistinct = ({ chain, name }: CheckedRoute): Problem[] => {
  const first = new Map<string, CheckedFilter>();
  return chain.flatMap((it) => {
    if (touches(it.broken.settings, "id")) return [];
    const before = first.get(it.id);
    if (!before) {
      first.set(it.id, it);
      return [];
    }
    const id = it.id.replace(`${name}/`, "");
    return [
      it.source.problem(it.entry, "duplicate-id", `a second filter "${id}" in one chain`, {
        remedy: "give this one an id of its own: `id: …` beside it",
        related: [before.source.related(before.entry, "the first is here")],
      }),
    ];
  });
};

const droppedAreInherited = (tier: CheckedTier): Problem[] => {
  const { source, manifest, preset, shared, routes, broken } = tier;
  const complain = (dropped: readonly string[], ids: readonly string[], path: Path, whose: string): Problem[] =>
    dropped.flatMap((id, index) => {
      const here = [...path, "without", index];
      if (dropped.indexOf(id) < index)
        return [source.problem(here, "unknown-without", `"${id}" is dropped already`, { remedy: "name it once" })];
      if (ids.includes(id)) return [];
      return [
        source.problem(here, "unknown-without", `${whose} has no filter "${id}"`, {
          remedy: choice(id, ids) ?? "remove it",
        }),
      ];
    });
  const ofPreset = preset?.filters;
  const tierDrops =
    manifest.preset === undefined
      ? touches(broken, "preset")
        ? []
        : complain(manifest.without, [], [], "a tier without a preset")
      : ofPreset && idsAreKnown(ofPreset)
        ? complain(
            manifest.without,
            ofPreset.filters.map(({ id }) => id),
            [],
            `the preset ${manifest.preset}`,
          )
        : [];
  if (!idsAreKnown(shared)) return tierDrops;
  const ids = shared.filters.map(({ id }) => id);
  return [
    ...tierDrops,
    ...routes.flatMap(({ name, settings }) => complain(settings.without, ids, ["routes", name], "the tier")),
  ];
};

/** Where a filter is of no known kind, or its `id` is broken, its id is not known. */
const idsAreKnown = ({ filters, unknown }: CheckedFilters): boolean =>
  unknown === 0 && filters.every(({ broken }) => !touches(broken.settings, "id"));

const guardsOnly = ({ about, use, mode, percent, source, entry }: CheckedFilter): Problem[] => {
  if (about.kind === "guard") return [];
  const keys = [...(mode === "shadow" ? ["mode"] : []), ...(percent === "100%" ? [] : ["percent"])];
  return keys.map((key) =>
    source.problem(
      entry,
      "guard-only",
      `${use} wraps the request, so it cannot be ${key === "mode" ? "shadowed" : "given to some"}`,
      { key, remedy: "use `mode: off`, `when`, or remove it" },
    ),
  );
};

const namespacesHaveIds = (filter: CheckedFilter, { environment }: Surroundings): Problem[] =>
  (filter.config === undefined ? [] : (filter.about.bindings?.(filter.config) ?? []))
    .flatMap((it) => (it.kind === "kv" ? [it.namespace] : []))
    .filter((namespace) => !Object.hasOwn(environment.value.kv, namespace))
    .filter((namespace) => !touches(environment.broken ?? [], "kv", namespace))
    .map((namespace) =>
      filter.source.problem(filter.entry, "missing-namespace", `${filter.use} needs the KV namespace "${namespace}"`, {
        key: filter.use,
        remedy: `give its id under \`kv\` in ${environment.file}`,
      }),
    );

const orderHolds = ({ chain, name }: CheckedRoute): Problem[] =>
  chain.flatMap((filter, index) => {
    const early = chain.slice(0, index).find(({ about }) => filter.about.ahead?.includes(about.phase));
    if (!early) return [];
    return [
      filter.source.problem(filter.entry, "filter-order", `${filter.use} stands behind ${early.use} on ${name}`, {
        key: filter.use,
        remedy: `put it ahead of ${early.use}`,
        related: [early.source.related(early.entry, `${early.use} is here`)],
      }),
    ];
  });

const strict: readonly string[] = ["identity", "access"];

const identityIsEnforced = ({ chain, name }: CheckedRoute): Problem[] =>
  chain
    .filter((it) => !mayBeEnforced(it))
    .flatMap((loose) => {
      const speaks = speaksForCaller(loose);
      if (!speaks && !strict.includes(loose.about.phase)) return [];
      if (!speaks && chain.some((it) => it.about.phase === loose.about.phase && mayBeEnforced(it))) return [];
      const { use, about, mode, percent } = loose;
      const key = mode !== "enforce" ? "mode" : percent !== "100%" ? "percent" : "when";
      const message = speaks
        ? `where ${use} is not enforced, clients of ${name} say themselves who they are`
        : `${use} would let requests of ${name} pass unchecked`;
      const remedy = speaks
        ? `remove \`${key}\`: what tells the service who is calling is written for every request`
        : `enforce it, or put it beside another filter of ${about.phase} that is enforced`;
      return [loose.source.problem(loose.entry, "identity-unenforced", message, { key, remedy })];
    });

const bodiesAreBounded = (tier: CheckedTier, route: CheckedRoute): Problem[] => {
  const { chain, name } = route;
  return chain.flatMap((filter, index) => {
    if (!filter.about.readsBody) return [];
    if (filter.about.checks && !readsBodyOf(tier, filter, route)) return [];
    if (chain.slice(0, index).some((it) => it.about.boundsBody && mayBeEnforced(it))) return [];
    return [
      filter.source.problem(filter.entry, "body-unbounded", `${filter.use} reads bodies of ${name}, of any size`, {
        key: filter.use,
        remedy: "put body-limit ahead of it",
      }),
    ];
  });
};

/** Whether a filter that validates reads bodies of a route. */
const readsBodyOf = ({ validations }: CheckedTier, { id }: CheckedFilter, { name }: CheckedRoute): boolean =>
  Object.values(validations.get(id)?.plans[name] ?? {}).some(
    ({ body }) => body && Object.values(body.types).some((it) => it !== null),
  );
