/** Checks one manifest: first its shape, then each filter and upstream by the schema of its part, then what they mean together. */
import type { ZodType } from "zod";
import {
  type Environment,
  filterSettings,
  type Manifest,
  manifest,
  matchOf,
  upstreamSettings,
} from "../../functions/gateway/config.ts";
import type { AboutFilter, AboutUpstream, FilterModule, UpstreamModule } from "../../functions/gateway/part.ts";
import { choice, problemsOf } from "./issues.ts";
import type { Problem } from "./problem.ts";
import type { Path, Source } from "./read.ts";
import { rulesBroken } from "./rules.ts";
import { substitute } from "./variables.ts";

export interface Registry {
  readonly filters: Readonly<Record<string, FilterModule>>;
  readonly upstreams: Readonly<Record<string, UpstreamModule>>;
}

export interface Named<T> {
  readonly name: string;
  readonly file: string;
  readonly value: T;
}

export interface CheckedFilter {
  /** `jwt`, or `transfer/body-limit` where a route adds it. */
  readonly id: string;
  readonly use: string;
  readonly about: AboutFilter;
  readonly mode: "enforce" | "shadow" | "off";
  readonly percent: string;
  readonly config: unknown;
  /** Of its configuration. */
  readonly at: Path;
}

export interface CheckedUpstream {
  readonly use: string;
  readonly about: AboutUpstream;
  readonly timeout: string;
  readonly config: unknown;
}

export interface CheckedRoute {
  readonly name: string;
  readonly methods: readonly string[];
  /** With the tier's base. */
  readonly path: string;
  /** All that run, in order: the tier's but those dropped, then its own. */
  readonly chain: readonly CheckedFilter[];
  /** False where one of its filters is broken, and the chain shows only the others. */
  readonly whole: boolean;
  readonly settings: Manifest["routes"][string];
}

/** A manifest that holds: every default filled in, every part's configuration parsed. */
export interface CheckedTier {
  readonly source: Source;
  readonly manifest: Manifest;
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  readonly routes: readonly CheckedRoute[];
}

export interface Verdict {
  readonly problems: readonly Problem[];
  /** There only when the file has no problem of its own. */
  readonly tier?: CheckedTier;
}

export const check = (source: Source, registry: Registry, environment: Named<Environment>): Verdict => {
  if (source.problems.length > 0) return { problems: source.problems };
  const { value, problems } = substitute(source, { file: environment.file, values: environment.value.values });
  const found: Problem[] = [...problems];
  const parse = <T>(schema: ZodType<T>, value: unknown, at: Path, noun: string): T | undefined => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    // What an unknown variable stands for cannot be judged; it has been reported.
    const judged = result.error.issues.filter(
      (it) => !problems.some((p) => samePlace(p, source.problem([...at, ...it.path], "invalid", ""))),
    );
    found.push(...problemsOf(judged, { source, at, value, schema, noun, environment: environment.file }));
    return undefined;
  };

  const whole = manifest();
  const shape = parse(whole, value, [], "the manifest");
  // Parts are checked even where the frame around them is broken, so that one reading tells everything.
  const frame = (value ?? {}) as Partial<Record<"filters" | "upstreams" | "routes", unknown>>;
  const shared = filtersOf(frame.filters, ["filters"], "", source, registry, parse, found);
  const upstreams = upstreamsOf(frame.upstreams, source, registry, parse, found);
  const own = Object.fromEntries(
    entriesOf(frame.routes).map(([name, route]) => [
      name,
      filtersOf(
        (route as { filters?: unknown } | null)?.filters,
        ["routes", name, "filters"],
        `${name}/`,
        source,
        registry,
        parse,
        found,
      ),
    ]),
  );
  if (!shape) return { problems: found };

  const routes = Object.entries(shape.routes).map(([name, settings]): CheckedRoute => {
    const { methods, path } = matchOf(settings.match);
    const inherited = shared.filter(({ id }) => !settings.without.includes(id));
    const added = own[name] ?? [];
    const whole = shared.length === shape.filters.length && added.length === settings.filters.length;
    return { name, methods, path: joined(shape.base, path), chain: [...inherited, ...added], whole, settings };
  });
  const tier: CheckedTier = { source, manifest: shape, upstreams, routes };
  found.push(...rulesBroken(tier, shared, environment));
  return found.length > 0 ? { problems: found } : { problems: [], tier };
};

type Parse = <T>(schema: ZodType<T>, value: unknown, at: Path, noun: string) => T | undefined;

const filtersOf = (
  entries: unknown,
  at: Path,
  prefix: string,
  source: Source,
  registry: Registry,
  parse: Parse,
  found: Problem[],
): CheckedFilter[] => {
  if (!Array.isArray(entries)) return [];
  const filters = entries.flatMap((entry: unknown, index): CheckedFilter[] => {
    const here = [...at, index];
    const kind = kindOf(
      entry,
      here,
      Object.keys(filterSettings().shape),
      Object.keys(registry.filters),
      "filter",
      source,
      found,
    );
    if (!kind) return [];
    const about = (registry.filters[kind.use] as FilterModule).spec();
    const settings = parse(filterSettings(), kind.settings, here, kind.use);
    const config = parse(about.schema as ZodType, expanded(kind.config, about.short), [...here, kind.use], kind.use);
    if (!settings || config === undefined) return [];
    const { id = kind.use, mode, percent } = settings;
    return [{ id: prefix + id, use: kind.use, about, mode, percent, config, at: [...here, kind.use] }];
  });
  filters.forEach(({ id, at: place }, index) => {
    if (filters.findIndex((it) => it.id === id) < index)
      found.push(
        source.problem(place.slice(0, -1), "duplicate-id", `a second filter "${id}" in this list`, {
          remedy: "give this one an id of its own: `id: …` beside it",
        }),
      );
  });
  return filters;
};

const upstreamsOf = (all: unknown, source: Source, registry: Registry, parse: Parse, found: Problem[]) => {
  const upstreams: Record<string, CheckedUpstream> = {};
  for (const [name, entry] of entriesOf(all)) {
    const here = ["upstreams", name];
    const kind = kindOf(
      entry,
      here,
      Object.keys(upstreamSettings().shape),
      Object.keys(registry.upstreams),
      "upstream",
      source,
      found,
    );
    if (!kind) continue;
    const about = (registry.upstreams[kind.use] as UpstreamModule).spec();
    const settings = parse(upstreamSettings(), kind.settings, here, name);
    const config = parse(about.schema as ZodType, expanded(kind.config, about.short), [...here, kind.use], kind.use);
    if (settings && config !== undefined) upstreams[name] = { use: kind.use, about, config, timeout: settings.timeout };
  }
  return upstreams;
};

interface Kind {
  readonly use: string;
  readonly config: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Splits an entry such as `{ jwt: …, mode: shadow }` into the part that it names and the settings beside it. */
const kindOf = (
  entry: unknown,
  at: Path,
  settings: readonly string[],
  kinds: readonly string[],
  noun: "filter" | "upstream",
  source: Source,
  found: Problem[],
): Kind | undefined => {
  // The frame's schema has said so.
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return undefined;
  const keys = Object.keys(entry);
  const named = keys.filter((key) => kinds.includes(key));
  const unknown = keys.filter((key) => !kinds.includes(key) && !settings.includes(key));
  for (const key of unknown) {
    const code = named.length > 0 ? "unknown-key" : noun === "filter" ? "unknown-filter" : "unknown-upstream-kind";
    const message = named.length > 0 ? `beside ${named[0]} there is no "${key}"` : `there is no ${noun} "${key}"`;
    found.push(source.problem(at, code, message, { key, remedy: choice(key, named.length > 0 ? settings : kinds) }));
  }
  if (named.length > 1 || (named.length === 0 && unknown.length === 0)) {
    const message = named.length > 1 ? `one entry names ${named.join(" and ")}` : `${article(noun)} without a kind`;
    found.push(source.problem(at, "one-kind", message, { remedy: `give each ${noun} an entry of its own` }));
  }
  const [use] = named;
  if (use === undefined || named.length > 1) return undefined;
  const beside = Object.fromEntries(Object.entries(entry).filter(([key]) => settings.includes(key)));
  return { use, config: (entry as Record<string, unknown>)[use], settings: beside };
};

const article = (noun: "filter" | "upstream"): string => (noun === "upstream" ? "an upstream" : "a filter");

/** `16KiB` for `{ max: 16KiB }`; nothing for `{}`. */
const expanded = (config: unknown, short: string | undefined): unknown =>
  config === null ? {} : short !== undefined && typeof config !== "object" ? { [short]: config } : config;

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

const joined = (base: string, path: string): string => (base === "/" ? path : path === "/" ? base : base + path);

const samePlace = (a: Problem, b: Problem): boolean => a.line === b.line && a.column === b.column;
