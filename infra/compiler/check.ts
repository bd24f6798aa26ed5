/** Checks one manifest: first its frame, then each filter and upstream by the schema of its part, then what they mean together. */
import { type Environment, type Manifest, manifest, matchOf } from "../../functions/gateway/config.ts";
import type { CheckedFilter, CheckedRoute, CheckedTier, Named } from "./checked.ts";
import { problemsOf } from "./issues.ts";
import { entriesOf, filtersOf, type Reading, type Registry, upstreamsOf } from "./parts.ts";
import type { Problem } from "./problem.ts";
import type { Source } from "./read.ts";
import { rulesBroken } from "./rules.ts";
import { substitute } from "./variables.ts";

export interface Verdict {
  readonly problems: readonly Problem[];
  /** There only when the file has no problem of its own. */
  readonly tier?: CheckedTier;
}

export const check = (source: Source, registry: Registry, environment: Named<Environment>): Verdict => {
  if (source.problems.length > 0) return { problems: source.problems };
  const { value, problems } = substitute(source, { file: environment.file, values: environment.value.values });
  const reading = readingOf(source, problems, environment.file);
  const shape = reading.parse(manifest(), value, [], "the manifest");
  // Parts are checked even where the frame around them is broken, so that one reading tells everything.
  const frame = Object.fromEntries(entriesOf(value));
  const shared = filtersOf(frame.filters, ["filters"], "", registry, reading);
  const upstreams = upstreamsOf(frame.upstreams, registry, reading);
  const own = new Map(
    entriesOf(frame.routes).map(([name, route]) => {
      const { filters } = Object.fromEntries(entriesOf(route));
      return [name, filtersOf(filters, ["routes", name, "filters"], `${name}/`, registry, reading)];
    }),
  );
  if (!shape) return { problems: reading.found };
  const routes = Object.entries(shape.routes).map(([name, settings]) =>
    routeOf(name, settings, shape, shared, own.get(name) ?? []),
  );
  const tier: CheckedTier = { source, manifest: shape, upstreams, routes };
  const all = [...reading.found, ...rulesBroken(tier, shared, environment)];
  return all.length > 0 ? { problems: all } : { problems: [], tier };
};

/** @param known problems of variables: what one stands for cannot be judged, and has been reported */
const readingOf = (source: Source, known: readonly Problem[], environment: string): Reading => {
  const found = [...known];
  return {
    source,
    found,
    parse: (schema, value, at, noun) => {
      const result = schema.safeParse(value);
      if (result.success) return result.data;
      const judged = result.error.issues.filter(({ path }) => {
        const here = source.problem([...at, ...path], "invalid", "");
        return !known.some(({ line, column }) => line === here.line && column === here.column);
      });
      found.push(...problemsOf(judged, { source, at, value, schema, noun, environment }));
      return undefined;
    },
  };
};

const routeOf = (
  name: string,
  settings: Manifest["routes"][string],
  { base, filters }: Manifest,
  shared: readonly CheckedFilter[],
  own: readonly CheckedFilter[],
): CheckedRoute => {
  const { methods, path } = matchOf(settings.match);
  const inherited = shared.filter(({ id }) => !settings.without.includes(id));
  return {
    name,
    methods,
    path: base === "/" ? path : path === "/" ? base : base + path,
    chain: [...inherited, ...own],
    whole: shared.length === filters.length && own.length === settings.filters.length,
    settings,
  };
};
