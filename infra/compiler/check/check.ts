/** Checks one manifest: its frame, each route, each filter and upstream by the schema of its part, then what they mean together. */
import path from "node:path";
import { joined, matchOf, segmentsOf } from "../../../functions/gateway/routing/match.ts";
import { type Frame, frame, route } from "../../../functions/manifest/manifest.ts";
import { name } from "../../../functions/manifest/names.ts";
import { testsOf } from "../../../functions/manifest/when.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { inOrder, type Problem } from "../../diagnostics/problem.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedFilters, CheckedPreset, CheckedRoute, CheckedTier, Surroundings } from "../model/checked.ts";
import { type Broken, type StandIn, touches } from "../model/salvage.ts";
import { open } from "./parse.ts";
import { entriesOf, filtersOf, type Reading, upstreamsOf } from "./parts.ts";
import { unknownHost } from "./rules/placement.ts";
import { rulesBroken } from "./rules/rules.ts";
import { validationsOf } from "./validations.ts";

export interface Verdict {
  readonly problems: readonly Problem[];
  /** There only when neither the file nor its preset has a problem. */
  readonly tier?: CheckedTier;
  /** The tier as far as it holds, to compare with others; undefined where nothing does. */
  readonly partial?: CheckedTier;
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
  const holds = problems.length === 0 && reading.whole && (preset === undefined || tier?.preset?.whole === true);
  const partial = tier && { partial: tier };
  return tier && holds ? { problems, tier, ...partial, ...known } : { problems, ...partial, ...known };
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

/** The tier, as far as its manifest holds: what is broken has been reported, and rules say nothing that follows from it. */
const tierOf = (value: unknown, reading: Reading, { registry, presets }: Surroundings): CheckedTier | undefined => {
  const { source } = reading;
  const read = reading.parse(schemas.frame, value, [], "the manifest", inFrame(source.file));
  if (!read.value) return undefined;
  const { value: manifest, broken } = read;
  const keys = Object.fromEntries(entriesOf(value));
  const preset = manifest.preset === undefined ? undefined : presets.get(manifest.preset);
  const own = filtersOf(
    touches(broken, "filters") ? (keys.filters ?? null) : keys.filters,
    ["filters"],
    "",
    registry,
    reading,
  );
  const shared = inherited(manifest, broken, preset, own);
  const upstreams = upstreamsOf(keys.upstreams, registry, reading);
  const written = entriesOf(keys.routes);
  const routes = written.flatMap(([name, it]) => routeOf(name, it, manifest, shared, registry, reading) ?? []);
  return {
    source,
    manifest,
    broken,
    preset,
    shared,
    upstreams,
    upstreamNames: entriesOf(keys.upstreams).map(([it]) => it),
    routes,
    whole: routes.length === written.length && !broken.some((path) => path.length === 1 && path[0] === "routes"),
    validations: new Map(),
  };
};

/** What stands in for a broken key of the frame. A file is named after its tier. */
const inFrame = (file: string): StandIn => {
  const tier = path.basename(file, ".yaml");
  const all: Readonly<Record<string, unknown>> = {
    api: "postern/v1",
    tier: schemas.name.safeParse(tier).success ? tier : "unknown",
    hosts: [unknownHost],
    base: "/unknown",
    routes: {},
  };
  return ([key, index, ...further]) => {
    if (index === undefined) return all[String(key)];
    return key === "hosts" && further.length === 0 ? unknownHost : undefined;
  };
};

const inherited = (
  { preset: named, without }: Frame,
  broken: Broken,
  preset: CheckedPreset | undefined,
  own: CheckedFilters,
): CheckedFilters => {
  const isUnknown = touches(broken, "preset") || touches(broken, "without") || (named !== undefined && !preset);
  if (isUnknown) return { filters: own.filters, unknown: "any" };
  const ahead = preset?.filters.filters.filter(({ id }) => !without.includes(id)) ?? [];
  const unknown = [preset?.filters.unknown ?? 0, own.unknown];
  return {
    filters: [...ahead, ...own.filters],
    unknown: unknown.includes("any") ? "any" : unknown.reduce<number>((sum, it) => sum + Number(it), 0),
  };
};

/** What stands in for a broken value of a route, so that the names beside it are known. */
const inRoute: StandIn = ([key, ...further]) => {
  if (key === "match" && further.length === 0) return "GET /";
  if (key === "to" && further.length === 2) return 1;
  return key === "cutover" && further[0] === "percent" ? "100%" : undefined;
};

const routeOf = (
  name: string,
  value: unknown,
  { base }: Frame,
  shared: CheckedFilters,
  registry: Registry,
  reading: Reading,
): CheckedRoute | undefined => {
  const at = ["routes", name];
  const keys = Object.fromEntries(entriesOf(value));
  const { value: settings, broken } = reading.parse(schemas.route, value, at, `the route ${name}`, inRoute);
  const listed = touches(broken, "filters") ? (keys.filters ?? null) : keys.filters;
  const own = filtersOf(listed, [...at, "filters"], `${name}/`, registry, reading);
  if (!settings) return undefined;
  const match = matchOf(settings.match);
  const whole = wholeOf(base, match.path, at, reading);
  const dropsUnknown = touches(broken, "without");
  const inherits = dropsUnknown ? [] : shared.filters.filter(({ id }) => !settings.without.includes(id));
  return {
    name,
    methods: match.methods,
    path: whole ?? match.path,
    segments: segmentsOf(whole ?? match.path),
    when: testsOf(settings.when),
    chain: [...inherits, ...own.filters],
    unknownFilters: dropsUnknown || shared.unknown !== 0 || own.unknown !== 0,
    settings,
    broken: whole === undefined ? [...broken, ["match"]] : broken,
    written: new Set(Object.keys(keys)),
  };
};

/** The path with the tier's base, or undefined and a problem where the two make none: each may be as long as both can be. */
const wholeOf = (base: string, own: string, at: Path, { source, found }: Reading): string | undefined => {
  const whole = joined(base, own);
  try {
    segmentsOf(whole);
    return whole;
  } catch (error) {
    const message = `with the tier's base: ${(error as Error).message}`;
    found.push(source.problem([...at, "match"], "wrong-format", message, { remedy: "shorten one of the two" }));
    return undefined;
  }
};
