/** Rules for the filter chain of a route: ids, order, enforcement, body limits. */

import type { Path } from "../../../diagnostics/locate.ts";
import { deduplicate, type Problem } from "../../../diagnostics/problem.ts";
import { choice } from "../../../diagnostics/schema-issues.ts";
import type { CheckedFilter, CheckedFilters, CheckedRoute, CheckedTier, CheckInputs } from "../../model/checked.ts";
import { isBroken } from "../../model/salvage.ts";
import { forwardsIdentity, mayBeEnforced } from "./enforced.ts";

export const checkChains = (tier: CheckedTier, inputs: CheckInputs): Problem[] => [
  ...checkWithout(tier),
  ...deduplicate(tier.routes, (route) => {
    const problems = [
      ...checkDuplicateIds(route),
      ...route.chain.flatMap((it) => [...checkGuardSettings(it), ...checkNamespaces(it, inputs)]),
      ...checkOrder(route),
      // An unknown filter has its own problem, so rules that it might satisfy are skipped.
      ...(route.hasUnknownFilters ? [] : [...checkIdentityEnforced(route), ...checkBodyLimits(tier, route)]),
    ];
    return problems.map((it) => ["", it] as const);
  }),
];

const checkDuplicateIds = ({ chain, name }: CheckedRoute): Problem[] => {
  const first = new Map<string, CheckedFilter>();
  return chain.flatMap((it) => {
    if (isBroken(it.broken.settings, "id")) return [];
    const before = first.get(it.id);
    if (!before) {
      first.set(it.id, it);
      return [];
    }
    const id = it.id.replace(`${name}/`, "");
    return [
      it.source.problem(it.entry, "duplicate-id", `the chain has two filters with the id "${id}"`, {
        remedy: "give this one an id of its own: `id: …` beside it",
        related: [before.source.related(before.entry, "the first is here")],
      }),
    ];
  });
};

const checkWithout = (tier: CheckedTier): Problem[] => {
  const { source, manifest, preset, shared, routes, broken } = tier;
  const complain = (dropped: readonly string[], ids: readonly string[], path: Path, whose: string): Problem[] =>
    dropped.flatMap((id, index) => {
      const droppedPath = [...path, "without", index];
      if (dropped.indexOf(id) < index)
        return [
          source.problem(droppedPath, "unknown-without", `"${id}" is already dropped`, { remedy: "list it once" }),
        ];
      if (ids.includes(id)) return [];
      return [
        source.problem(droppedPath, "unknown-without", `${whose} has no filter "${id}"`, {
          remedy: choice(id, ids) ?? "remove it",
        }),
      ];
    });
  const ofPreset = preset?.filters;
  const tierProblems =
    manifest.preset === undefined
      ? isBroken(broken, "preset")
        ? []
        : complain(manifest.without, [], [], "a tier without a preset")
      : ofPreset && hasKnownIds(ofPreset)
        ? complain(
            manifest.without,
            ofPreset.filters.map(({ id }) => id),
            [],
            `the preset ${manifest.preset}`,
          )
        : [];
  if (!hasKnownIds(shared)) return tierProblems;
  const ids = shared.filters.map(({ id }) => id);
  return [
    ...tierProblems,
    ...routes.flatMap(({ name, settings }) => complain(settings.without, ids, ["routes", name], "the tier")),
  ];
};

/** Whether all ids are known: no entry of unknown kind, no broken `id`. */
const hasKnownIds = ({ filters, unknown }: CheckedFilters): boolean =>
  unknown === 0 && filters.every(({ broken }) => !isBroken(broken.settings, "id"));

const checkGuardSettings = ({ spec, use, mode, percent, source, entry }: CheckedFilter): Problem[] => {
  if (spec.kind === "guard") return [];
  const keys = [...(mode === "shadow" ? ["mode"] : []), ...(percent === "100%" ? [] : ["percent"])];
  return keys.map((key) =>
    source.problem(
      entry,
      "guard-only",
      `${use} wraps the request, so it cannot be ${key === "mode" ? "shadowed" : "limited to a percentage"}`,
      { key, remedy: "use `mode: off`, `when`, or remove it" },
    ),
  );
};

const checkNamespaces = (filter: CheckedFilter, { environment }: CheckInputs): Problem[] =>
  (filter.config === undefined ? [] : (filter.spec.bindings?.(filter.config) ?? []))
    .flatMap((it) => (it.kind === "kv" ? [it.namespace] : []))
    .filter((namespace) => !Object.hasOwn(environment.value.kv, namespace))
    .filter((namespace) => !isBroken(environment.broken ?? [], "kv", namespace))
    .map((namespace) =>
      filter.source.problem(filter.entry, "missing-namespace", `${filter.use} needs the KV namespace "${namespace}"`, {
        key: filter.use,
        remedy: `give its id under \`kv\` in ${environment.file}`,
      }),
    );

const checkOrder = ({ chain, name }: CheckedRoute): Problem[] =>
  chain.flatMap((filter, index) => {
    const behind = chain.slice(0, index).find(({ spec }) => filter.spec.precedes?.includes(spec.phase));
    if (!behind) return [];
    return [
      filter.source.problem(filter.entry, "filter-order", `${filter.use} comes after ${behind.use} on ${name}`, {
        key: filter.use,
        remedy: `move it before ${behind.use}`,
        related: [behind.source.related(behind.entry, `${behind.use} is here`)],
      }),
    ];
  });

const strictPhases: readonly string[] = ["identity", "access"];

const checkIdentityEnforced = ({ chain, name }: CheckedRoute): Problem[] =>
  chain
    .filter((it) => !mayBeEnforced(it))
    .flatMap((unenforced) => {
      const assertsCaller = forwardsIdentity(unenforced);
      if (!assertsCaller && !strictPhases.includes(unenforced.spec.phase)) return [];
      if (!assertsCaller && chain.some((it) => it.spec.phase === unenforced.spec.phase && mayBeEnforced(it))) return [];
      const { use, spec, mode, percent } = unenforced;
      const key = mode !== "enforce" ? "mode" : percent !== "100%" ? "percent" : "when";
      const message = assertsCaller
        ? `where ${use} is not enforced, clients of ${name} can set the identity headers themselves`
        : `${use} would let requests of ${name} pass unchecked`;
      const remedy = assertsCaller
        ? `remove \`${key}\`: identity headers have to be set on every request`
        : `enforce it, or add another ${spec.phase} filter that is enforced`;
      return [unenforced.source.problem(unenforced.entry, "identity-unenforced", message, { key, remedy })];
    });

const checkBodyLimits = (tier: CheckedTier, route: CheckedRoute): Problem[] => {
  const { chain, name } = route;
  return chain.flatMap((filter, index) => {
    if (!filter.spec.readsBody) return [];
    if (filter.spec.checks && !readsBody(tier, filter, route)) return [];
    if (chain.slice(0, index).some((it) => it.spec.boundsBody && mayBeEnforced(it))) return [];
    return [
      filter.source.problem(
        filter.entry,
        "body-unbounded",
        `${filter.use} reads request bodies of ${name} without a size limit`,
        {
          key: filter.use,
          remedy: "put body-limit before it",
        },
      ),
    ];
  });
};

/** Whether a validating filter reads the bodies of a route. */
const readsBody = ({ validations }: CheckedTier, { id }: CheckedFilter, { name }: CheckedRoute): boolean =>
  Object.values(validations.get(id)?.plans[name] ?? {}).some(
    ({ body }) => body && Object.values(body.types).some((it) => it !== null),
  );
