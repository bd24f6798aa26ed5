/** What must hold between the parts of one manifest, when each of them holds by itself. */
import type { Environment } from "../../functions/gateway/config.ts";
import { type Reference, referencesIn } from "../../functions/gateway/references.ts";
import { segmentsOf } from "../../functions/gateway/router.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, Named } from "./checked.ts";
import { choice } from "./issues.ts";
import type { Problem } from "./problem.ts";
import type { Path } from "./read.ts";

export const rulesBroken = (
  tier: CheckedTier,
  shared: readonly CheckedFilter[],
  environment: Named<Environment>,
): Problem[] => {
  const problems = [
    ...fileNamedAfterTier(tier),
    ...upstreamsResolve(tier),
    ...withoutResolves(tier, shared),
    ...matchesAreDistinct(tier),
    ...guardsOnly(tier),
    ...namespacesHaveIds(tier, environment),
    // A broken filter has its own problem; what it would have provided is not missing as well.
    ...tier.routes
      .filter(({ whole }) => whole)
      .flatMap((route) => [
        ...orderHolds(tier, route),
        ...identityIsEnforced(tier, route),
        ...referencesAreBound(tier, route),
      ]),
  ];
  // A filter of the tier stands in many chains; its problem is told once.
  const seen = new Set<string>();
  return problems.filter(({ code, line, column }) => {
    const key = `${code} ${line} ${column}`;
    return !seen.has(key) && seen.add(key);
  });
};

const fileNamedAfterTier = ({ source, manifest: { tier } }: CheckedTier): Problem[] =>
  source.file.endsWith(`/${tier}.yaml`)
    ? []
    : [
        source.problem(["tier"], "file-name", `the manifest of "${tier}" stands in ${source.file}`, {
          remedy: `name the file ${tier}.yaml`,
        }),
      ];

const upstreamsResolve = ({ source, manifest, upstreams, routes }: CheckedTier): Problem[] => {
  // A broken upstream has its own problem; a reference to it is no second one.
  const names = Object.keys(manifest.upstreams);
  const used = new Set(routes.map(({ settings }) => settings.to));
  return [
    ...routes
      .filter(({ settings }) => !names.includes(settings.to))
      .map(({ name, settings: { to } }) =>
        source.problem(["routes", name, "to"], "unknown-upstream", `the tier has no upstream "${to}"`, {
          remedy: choice(to, names),
        }),
      ),
    ...Object.keys(upstreams)
      .filter((name) => !used.has(name))
      .map((name) =>
        source.problem(["upstreams"], "unused-upstream", `no route goes to "${name}"`, {
          key: name,
          remedy: "remove it, or route to it",
        }),
      ),
  ];
};

const withoutResolves = ({ source, manifest, routes }: CheckedTier, shared: readonly CheckedFilter[]): Problem[] => {
  const ids = shared.map(({ id }) => id);
  // Where a filter of the tier is broken, its id is not known.
  if (ids.length < manifest.filters.length) return [];
  return routes.flatMap(({ name, settings }) =>
    settings.without.flatMap((id, index) =>
      ids.includes(id)
        ? []
        : [
            source.problem(["routes", name, "without", index], "unknown-without", `the tier has no filter "${id}"`, {
              remedy: choice(id, ids),
            }),
          ],
    ),
  );
};

const matchesAreDistinct = ({ source, routes }: CheckedTier): Problem[] => {
  const owners = new Map<string, string>();
  return routes.flatMap(({ name, methods, path }) =>
    methods.flatMap((method) => {
      const key = `${method} ${shapeOf(path)}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, name);
      return owner === undefined
        ? []
        : [
            source.problem(
              ["routes", name, "match"],
              "duplicate-match",
              `${name} takes the same requests as ${owner}`,
              {
                remedy: "give it another path or method, or remove one of the two",
              },
            ),
          ];
    }),
  );
};

/** A path without the names of its captures, which do not tell requests apart. */
const shapeOf = (path: string): string =>
  segmentsOf(path)
    .map((it) => (it.kind === "literal" ? it.text : it.kind === "rest" ? "{*}" : `{:${it.pattern ?? ""}}`))
    .join("/");

const guardsOnly = ({ source, routes }: CheckedTier): Problem[] =>
  routes
    .flatMap(({ chain }) => chain)
    .filter(({ about, mode, percent }) => about.kind === "layer" && (mode === "shadow" || percent !== "100%"))
    .map(({ use, at, mode }) => {
      const key = mode === "shadow" ? "mode" : "percent";
      return source.problem(
        at.slice(0, -1),
        "guard-only",
        `${use} wraps the request, so it cannot be ${key === "mode" ? "shadowed" : "given to some"}`,
        {
          key,
          remedy: "`mode: off`, or none of the two",
        },
      );
    });

const namespacesHaveIds = ({ source, routes }: CheckedTier, environment: Named<Environment>): Problem[] =>
  routes
    .flatMap(({ chain }) => chain)
    .flatMap((filter) =>
      bindingsOf(filter)
        .filter((it) => it.kind === "kv" && !(it.namespace in environment.value.kv))
        .map((it) =>
          source.problem(
            filter.at.slice(0, -1),
            "missing-namespace",
            `${filter.use} needs the KV namespace "${"namespace" in it && it.namespace}"`,
            {
              key: filter.use,
              remedy: `give its id under \`kv\` in ${environment.file}`,
            },
          ),
        ),
    );

const bindingsOf = ({ about, config }: CheckedFilter) => about.bindings?.(config as never) ?? [];

const orderHolds = ({ source }: CheckedTier, { chain, name }: CheckedRoute): Problem[] =>
  chain.flatMap((filter, index) => {
    const early = chain.slice(0, index).find(({ about }) => filter.about.ahead?.includes(about.phase));
    return early
      ? [
          source.problem(
            filter.at.slice(0, -1),
            "filter-order",
            `${filter.use} stands behind ${early.use} on ${name}`,
            {
              key: filter.use,
              remedy: `put it ahead of ${early.use}`,
            },
          ),
        ]
      : [];
  });

const strict: readonly string[] = ["identity", "access"];

const identityIsEnforced = ({ source }: CheckedTier, { chain, name }: CheckedRoute): Problem[] =>
  chain
    .filter((it) => (strict.includes(it.about.phase) || speaksForCaller(it)) && !isEnforced(it))
    .filter(
      (loose) => speaksForCaller(loose) || !chain.some((it) => it.about.phase === loose.about.phase && isEnforced(it)),
    )
    .map(({ use, about, at, mode }) =>
      source.problem(at.slice(0, -1), "identity-unenforced", `${use} would let users of ${name} pass unchecked`, {
        key: mode === "enforce" ? "percent" : "mode",
        remedy: `enforce it, or put it beside another filter of ${about.phase} that is enforced`,
      }),
    );

/** What tells the service who is calling: where it is not enforced, the client says so itself. */
const speaksForCaller = ({ about, config }: CheckedFilter): boolean =>
  (about.references?.(config as never) ?? []).some(({ text }) =>
    referencesIn(text).some(({ source }) => source === "consumer" || source === "claim"),
  );

const isEnforced = ({ mode, percent }: CheckedFilter): boolean => mode === "enforce" && percent === "100%";

const referencesAreBound = ({ source }: CheckedTier, { chain, name, path, settings }: CheckedRoute): Problem[] => {
  const captured = segmentsOf(path).flatMap((it) => (it.kind === "literal" ? [] : [it.name]));
  const complain = (text: string, at: Path, ahead: readonly CheckedFilter[], reader: string): Problem[] =>
    referencesIn(text).flatMap((reference) => {
      const missing = lacking(reference, captured, ahead);
      if (!missing) return [];
      const message = `${reader} reads ${reference.source}.${reference.name}, but ${missing} on ${name}`;
      return [source.problem(at, "reference-unbound", message, { remedy: remedyFor(reference) })];
    });
  return [
    ...complain(settings.path ?? "", ["routes", name, "path"], chain, "path"),
    ...chain.flatMap((filter, index) =>
      (filter.about.references?.(filter.config as never) ?? []).flatMap((it) =>
        complain(it.text, [...filter.at, ...it.path], chain.slice(0, index), filter.use),
      ),
    ),
  ];
};

const remedyFor = ({ source }: Reference): string =>
  source === "path"
    ? "capture it in the match, or read another value"
    : "put jwt or api-key ahead, or read another value";

/** What a reference lacks, or undefined when it is bound. */
const lacking = (
  { source, name }: Reference,
  captured: readonly string[],
  ahead: readonly CheckedFilter[],
): string | undefined => {
  if (source === "path" && !captured.includes(name))
    return captured.length > 0 ? `the match captures only ${captured.join(", ")}` : "the match captures nothing";
  if (source !== "consumer" && source !== "claim") return undefined;
  const provided = ahead.some((it) => isEnforced(it) && it.about.provides?.includes(source));
  return provided
    ? undefined
    : source === "consumer"
      ? "no filter ahead identifies a consumer"
      : "no filter ahead verifies a token";
};
