/** Checks one manifest: its frame, each route, each filter and upstream by its own schema, then the rules between them. */
import path from "node:path";
import { joinPath, parseMatch, parsePath } from "../../../functions/gateway/routing/match.ts";
import { type Frame, frame, route } from "../../../functions/manifest/manifest.ts";
import { name } from "../../../functions/manifest/names.ts";
import { matchersOf } from "../../../functions/manifest/when.ts";
import type { Path } from "../../diagnostics/locate.ts";
import { type Problem, sortDiagnostics } from "../../diagnostics/problem.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedFilters, CheckedPreset, CheckedRoute, CheckedTier, CheckInputs } from "../model/checked.ts";
import { type BrokenPaths, isBroken, type StandIn } from "../model/salvage.ts";
import { openFile } from "./parse.ts";
import { entriesOf, filtersOf, type ParseContext, upstreamsOf } from "./parts.ts";
import { placeholderHost } from "./rules/placement.ts";
import { checkRules } from "./rules/rules.ts";
import { buildValidations } from "./validations.ts";

export interface CheckResult {
  readonly problems: readonly Problem[];
  /** Set only if neither the file nor its preset has a problem. */
  readonly tier?: CheckedTier;
  /** The valid part of the tier, for rules between tiers; undefined if nothing is valid. */
  readonly partial?: CheckedTier;
  /** Names of the environment's values that it uses; undefined if the file could not be read. */
  readonly usedVariables?: ReadonlySet<string>;
  /** The preset that it names, whether it exists or not. */
  readonly preset?: string;
  /** Undefined if it could not be read. */
  readonly isolation?: Frame["isolation"] | undefined;
}

export const check = (source: Source, inputs: CheckInputs): CheckResult => {
  if (source.problems.length > 0) return { problems: source.problems };
  const context = openFile(source, inputs.environment);
  const parsedTier = tierOf(context.value, context, inputs);
  const validated = parsedTier && buildValidations(parsedTier, inputs);
  const tier = parsedTier && validated && { ...parsedTier, validations: validated.validations };
  context.problems.push(...(validated?.problems ?? []));
  const preset = tier?.manifest.preset;
  const { isolation } = Object.fromEntries(entriesOf(context.value));
  const facts = {
    usedVariables: context.usedVariables,
    ...(preset !== undefined && { preset }),
    isolation: schemas.frame.shape.isolation.safeParse(isolation).data,
  };
  const problems = limitProblems(sortDiagnostics([...context.problems, ...(tier ? checkRules(tier, inputs) : [])]));
  // Without its preset's filters a tier could be unprotected, so it is invalid too. The preset's own file has the problem.
  const isValid =
    problems.length === 0 && context.isComplete && (preset === undefined || tier?.preset?.isValid === true);
  const partial = tier && { partial: tier };
  return tier && isValid ? { problems, tier, ...partial, ...facts } : { problems, ...partial, ...facts };
};

/** Created once, since creating a schema takes longer than using it. */
const schemas = { frame: frame(), route: route(), name: name() };

const maxProblems = 100;

/** Limits the problems of a file that is something else entirely. */
const limitProblems = (problems: Problem[]): Problem[] => {
  const next = problems[maxProblems];
  if (!next) return problems;
  const { file, line, column, length, source } = next;
  const message = `${problems.length - maxProblems} more problems follow`;
  const end: Problem = { file, line, column, length, source, code: "too-many-problems", message };
  return [...problems.slice(0, maxProblems), { ...end, remedy: "fix those above first" }];
};

/** The valid part of the tier. Broken parts are reported already, and rules skip what depends on them. */
const tierOf = (value: unknown, context: ParseContext, { registry, presets }: CheckInputs): CheckedTier | undefined => {
  const { source } = context;
  const read = context.parse(schemas.frame, value, [], "the manifest", frameStandIn(source.file));
  if (!read.value) return undefined;
  const { value: manifest, broken } = read;
  const keys = Object.fromEntries(entriesOf(value));
  const preset = manifest.preset === undefined ? undefined : presets.find(manifest.preset)?.checked;
  const ownFilters = filtersOf(
    isBroken(broken, "filters") ? (keys.filters ?? null) : keys.filters,
    ["filters"],
    "",
    registry,
    context,
  );
  const shared = inheritedFilters(manifest, broken, preset, ownFilters);
  const upstreams = upstreamsOf(keys.upstreams, registry, context);
  const writtenRoutes = entriesOf(keys.routes);
  const routes = writtenRoutes.flatMap(([name, it]) => routeOf(name, it, manifest, shared, registry, context) ?? []);
  return {
    source,
    manifest,
    broken,
    preset,
    shared,
    upstreams,
    upstreamNames: entriesOf(keys.upstreams).map(([it]) => it),
    routes,
    isComplete:
      routes.length === writtenRoutes.length && !broken.some((path) => path.length === 1 && path[0] === "routes"),
    validations: new Map(),
  };
};

/** Placeholders for broken keys of the frame, so that the rest can be checked. */
const frameStandIn = (file: string): StandIn => {
  const tier = path.basename(file, ".yaml");
  const all: Readonly<Record<string, unknown>> = {
    api: "postern/v1",
    tier: schemas.name.safeParse(tier).success ? tier : "unknown",
    hosts: [placeholderHost],
    base: "/unknown",
    routes: {},
  };
  return ([key, index, ...further]) => {
    if (index === undefined) return all[String(key)];
    return key === "hosts" && further.length === 0 ? placeholderHost : undefined;
  };
};

const inheritedFilters = (
  { preset: named, without }: Frame,
  broken: BrokenPaths,
  preset: CheckedPreset | undefined,
  ownFilters: CheckedFilters,
): CheckedFilters => {
  const isUnknown = isBroken(broken, "preset") || isBroken(broken, "without") || (named !== undefined && !preset);
  if (isUnknown) return { filters: ownFilters.filters, unknown: "any" };
  const ahead = preset?.filters.filters.filter(({ id }) => !without.includes(id)) ?? [];
  const unknown = [preset?.filters.unknown ?? 0, ownFilters.unknown];
  return {
    filters: [...ahead, ...ownFilters.filters],
    unknown: unknown.includes("any") ? "any" : unknown.reduce<number>((sum, it) => sum + Number(it), 0),
  };
};

/** Placeholders for broken values of a route, so that the rest can be checked. */
const routeStandIn: StandIn = ([key, ...further]) => {
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
  context: ParseContext,
): CheckedRoute | undefined => {
  const at = ["routes", name];
  const keys = Object.fromEntries(entriesOf(value));
  const { value: settings, broken } = context.parse(schemas.route, value, at, `the route ${name}`, routeStandIn);
  const listed = isBroken(broken, "filters") ? (keys.filters ?? null) : keys.filters;
  const ownFilters = filtersOf(listed, [...at, "filters"], `${name}/`, registry, context);
  if (!settings) return undefined;
  const match = parseMatch(settings.match);
  const joinedPath = fullPath(base.path, match.path, at, context);
  const dropsUnknown = isBroken(broken, "without");
  const inherits = dropsUnknown ? [] : shared.filters.filter(({ id }) => !settings.without.includes(id));
  return {
    name,
    methods: match.methods,
    path: joinedPath ?? match.path,
    segments: parsePath(joinedPath ?? match.path),
    when: matchersOf(settings.when),
    chain: [...inherits, ...ownFilters.filters],
    hasUnknownFilters: dropsUnknown || shared.unknown !== 0 || ownFilters.unknown !== 0,
    settings,
    broken: joinedPath === undefined ? [...broken, ["match"]] : broken,
    writtenKeys: new Set(Object.keys(keys)),
  };
};

/** The path with the tier's base. Undefined, with a problem, if the two together are invalid, for example too long. */
const fullPath = (base: string, ownPath: string, at: Path, { source, problems }: ParseContext): string | undefined => {
  const joinedPath = joinPath(base, ownPath);
  try {
    parsePath(joinedPath);
    return joinedPath;
  } catch (error) {
    const message = `with the tier's base: ${(error as Error).message}`;
    problems.push(source.problem([...at, "match"], "wrong-format", message, { remedy: "shorten one of the two" }));
    return undefined;
  }
};
