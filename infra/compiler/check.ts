/** Checks one manifest: its frame, each route, each filter and upstream by the schema of its part, then what they mean together. */
import path from "node:path";
import { type Frame, frame, type Route, route } from "../../functions/gateway/config.ts";
import { joined, matchOf, segmentsOf } from "../../functions/gateway/match.ts";
import { name } from "../../functions/gateway/names.ts";
import { testsOf } from "../../functions/gateway/when.ts";
import type { Registry } from "../registry.ts";
import type { CheckedFilters, CheckedPreset, CheckedRoute, CheckedTier, Surroundings } from "./checked.ts";
import { entriesOf, filtersOf, type Reading, upstreamsOf } from "./parts.ts";
import { inOrder, type Problem } from "./problem.ts";
import type { Source } from "./read.ts";
import { open } from "./reading.ts";
import { rulesBroken } from "./rules/rules.ts";
import { validationsOf } from "./validations.ts";

export interface Verdict {
  readonly problems: readonly Problem[];
  /** There only when neither the file nor its preset has a problem. */
  readonly tier?: CheckedTier;
  /** Names of the environment's values that it asks for; undefined where it could not be read. */
  readonly asked?: ReadonlySet<string>;
  /** The preset that it names, be it there or not. */
  readonly preset?: string;
  /** Undefined where it could not be read. */
  readonly isolation?: Frame["isolation"] | undefined;
}

export const check = (source: Source, surroundings: Surroundings): Verdict => {
  if (source.problems.length > 0) return { problems: source.problems };
  const reading = open(source, surroundings.environment);
  const read = tierOf(reading.value, reading, surroundings);
  const validated = read && validationsOf(read, surroundings);
  const tier = read && validated && { ...read, validations: validated.validations };
  reading.found.push(...(validated?.problems ?? []));
  const preset = tier?.manifest.preset;
  const { isolation } = Object.fromEntries(entriesOf(reading.value));
  const known = {
    asked: reading.asked,
    ...(preset !== undefined && { preset }),
    isolation: schemas.frame.shape.isolation.safeParse(isolation).data,
  };
  const problems = bounded(inOrder([...reading.found, ...(tier ? rulesBroken(tier, surroundings) : [])]));
  // Without its preset's filters a tier would let in whom it must not; what is wrong with them is said in their own file.
  return problems.length === 0 && tier?.shared.whole ? { problems, tier, ...known } : { problems, ...known };
};

/** To make a schema takes longer than to use it. */
const schemas = { frame: frame(), route: route(), name: name() };

const most = 100;

/** A file of another kind can be wrong at every line. */
const bounded = (problems: Problem[]): Problem[] => {
  const next = problems[most];
  if (!next) return problems;
  const { file, line, column, length, source } = next;
  const message = `${problems.length - most} more problems from here on`;
  const end: Problem = { file, line, column, length, source, code: "too-many-problems", message };
  return [...problems.slice(0, most), { ...end, remedy: "mend those above first" }];
};

/** The tier, as far as its manifest holds: what is broken has been reported, and stands for nothing. */
const tierOf = (value: unknown, reading: Reading, { registry, presets }: Surroundings): CheckedTier | undefined => {
  const { source } = reading;
  const manifest = reading.parse(schemas.frame, value, [], "the manifest") ?? salvaged(value, source);
  if (!manifest) return undefined;
  const keys = Object.fromEntries(entriesOf(value));
  const preset = manifest.preset === undefined ? undefined : presets.get(manifest.preset);
  const own = filtersOf(keys.filters, ["filters"], "", registry, reading);
  const shared = inherited(manifest, preset, own);
  const upstreams = upstreamsOf(keys.upstreams, registry, reading);
  const names = Object.keys(manifest.routes);
  const routes = names.flatMap((it) => routeOf(it, manifest, shared, registry, reading) ?? []);
  return {
    source,
    manifest,
    preset,
    shared,
    upstreams,
    upstreamNames: entriesOf(keys.upstreams).map(([it]) => it),
    routes,
    whole: routes.length === entriesOf(keys.routes).length,
    validations: new Map(),
  };
};

/** The keys of a frame that hold by themselves, with stand-ins for what it needs, so that all else can be judged. */
const salvaged = (value: unknown, source: Source): Frame | undefined => {
  const entries = entriesOf(value);
  if (entries.length === 0) return undefined;
  const { shape } = schemas.frame;
  const holding = entries.filter(
    ([key, it]) => Object.hasOwn(shape, key) && shape[key as keyof typeof shape].safeParse(it).success,
  );
  const routes = entriesOf(Object.fromEntries(entries).routes).filter(([it]) => schemas.name.safeParse(it).success);
  const tier = path.basename(source.file, ".yaml");
  const standIns = {
    api: "postern/v1",
    tier: schemas.name.safeParse(tier).success ? tier : "unknown",
    hosts: ["unknown.invalid"],
  };
  return schemas.frame.parse({ ...standIns, ...Object.fromEntries(holding), routes: Object.fromEntries(routes) });
};

const inherited = (
  { preset: named, without }: Frame,
  preset: CheckedPreset | undefined,
  own: CheckedFilters,
): CheckedFilters => {
  const ahead = preset?.filters.filters.filter(({ id }) => !without.includes(id)) ?? [];
  const whole = named === undefined || preset?.filters.whole === true;
  return { filters: [...ahead, ...own.filters], whole: whole && own.whole };
};

const routeOf = (
  name: string,
  { base, routes }: Frame,
  shared: CheckedFilters,
  registry: Registry,
  reading: Reading,
): CheckedRoute | undefined => {
  const value = routes[name];
  const at = ["routes", name];
  const { filters } = Object.fromEntries(entriesOf(value));
  const settings: Route | undefined = reading.parse(schemas.route, value, at, `the route ${name}`);
  const own = filtersOf(filters, [...at, "filters"], `${name}/`, registry, reading);
  if (!settings) return undefined;
  const match = matchOf(settings.match);
  const whole = joined(base, match.path);
  return {
    name,
    methods: match.methods,
    path: whole,
    segments: segmentsOf(whole),
    when: testsOf(settings.when),
    chain: [...shared.filters.filter(({ id }) => !settings.without.includes(id)), ...own.filters],
    whole: shared.whole && own.whole,
    settings,
  };
};
