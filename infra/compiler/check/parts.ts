/** Parses the filters and upstreams of a manifest, each by the schema of its kind. */
import type { ZodType } from "zod";
import { filterSettings, maxFilters, upstreamSettings } from "../../../functions/manifest/manifest.ts";
import { matchersOf } from "../../../functions/manifest/when.ts";
import type { Path } from "../../diagnostics/locate.ts";
import type { Problem } from "../../diagnostics/problem.ts";
import { choice, nearest } from "../../diagnostics/schema-issues.ts";
import type { Source } from "../../diagnostics/source.ts";
import type { Registry } from "../../project/registry.ts";
import type { CheckedFilter, CheckedFilters, CheckedUpstream } from "../model/checked.ts";
import type { BrokenPaths, Salvaged, StandIn } from "../model/salvage.ts";

const schemas = { filter: filterSettings(), upstream: upstreamSettings() };

/** The state of checking one file: its source and the problems found so far. */
export interface ParseContext {
  readonly source: Source;
  readonly problems: Problem[];
  /** Parses a value by a schema; adds its problems and returns the valid part. */
  readonly parse: <T>(schema: ZodType<T>, value: unknown, at: Path, noun: string, standIn?: StandIn) => Parsed<T>;
}

export type Parsed<T> = Pick<Salvaged<T>, "value" | "broken">;

/** @param prefix of their ids: `transfer/` */
export const filtersOf = (
  entries: unknown,
  at: Path,
  prefix: string,
  registry: Registry,
  context: ParseContext,
): CheckedFilters => {
  // The frame's schema reports a list that is too long.
  const all: readonly unknown[] = Array.isArray(entries) ? entries.slice(0, maxFilters) : [];
  const filters = all.flatMap((entry, index) => filterOf(entry, [...at, index], prefix, registry, context) ?? []);
  const isKnown = entries === undefined || Array.isArray(entries);
  return { filters, unknown: isKnown ? all.length - filters.length : "any" };
};

const filterOf = (
  value: unknown,
  entry: Path,
  prefix: string,
  registry: Registry,
  context: ParseContext,
): CheckedFilter | undefined => {
  const partEntry = parseEntry(
    value,
    entry,
    "filter",
    schemas.filter.shape,
    registry.filters,
    registry.broken.filters,
    context,
  );
  if (!partEntry) return undefined;
  const spec = partEntry.part;
  const at = [...entry, partEntry.use];
  const settings = context.parse(schemas.filter, partEntry.settings, entry, partEntry.use);
  const config = context.parse(
    spec.schema as ZodType,
    expandShortForm(partEntry.config, spec.short),
    at,
    partEntry.use,
  );
  const { id = partEntry.use, mode, percent, when } = settings.value ?? schemas.filter.parse({});
  const { source } = context;
  const broken = { settings: [...partEntry.broken, ...settings.broken], config: config.broken };
  const checkedParts = { use: partEntry.use, spec, mode, percent, when: matchersOf(when), config: config.value };
  return { id: prefix + id, ...checkedParts, broken, source, entry, at };
};

/** The upstreams of a known kind with a usable configuration, by name. */
export const upstreamsOf = (all: unknown, registry: Registry, context: ParseContext): Record<string, CheckedUpstream> =>
  Object.fromEntries(
    entriesOf(all).flatMap(([name, entry]): [string, CheckedUpstream][] => {
      const here = ["upstreams", name];
      const partEntry = parseEntry(
        entry,
        here,
        "upstream",
        schemas.upstream.shape,
        registry.upstreams,
        registry.broken.upstreams,
        context,
      );
      if (!partEntry) return [];
      const spec = partEntry.part;
      const at = [...here, partEntry.use];
      const settings = context.parse(schemas.upstream, partEntry.settings, here, name);
      const config = context.parse(
        spec.schema as ZodType,
        expandShortForm(partEntry.config, spec.short),
        at,
        partEntry.use,
      );
      if (!settings.value || config.value === undefined) return [];
      return [[name, { use: partEntry.use, spec, config: config.value, timeout: settings.value.timeout }]];
    }),
  );

interface PartEntry<Part> {
  readonly use: string;
  readonly part: Part;
  readonly config: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Settings that a misspelt key may have been meant for. */
  readonly broken: BrokenPaths;
}

/** Splits an entry such as `{ jwt: …, mode: shadow }` into the part that it names and the settings beside it. */
const parseEntry = <Part>(
  entry: unknown,
  at: Path,
  noun: "filter" | "upstream",
  settings: Readonly<Record<string, unknown>>,
  parts: Readonly<Record<string, Part>>,
  brokenParts: readonly string[],
  { source, problems }: ParseContext,
): PartEntry<Part> | undefined => {
  // The frame's schema reports it.
  if (!isMap(entry)) return undefined;
  const keys = Object.keys(entry);
  const named = keys.filter((key) => Object.hasOwn(parts, key));
  const unknown = keys.filter((key) => !Object.hasOwn(parts, key) && !Object.hasOwn(settings, key));
  for (const key of unknown) {
    if (named.length === 0 && brokenParts.includes(key)) {
      const cannotLoad = `the ${noun} "${key}" of this project cannot be loaded`;
      const remedy = "mend its file, which has a problem of its own";
      problems.push(source.problem(at, "part-broken", cannotLoad, { key, remedy }));
      continue;
    }
    const code = named.length > 0 ? "unknown-key" : noun === "filter" ? "unknown-filter" : "unknown-upstream-kind";
    const message = named.length > 0 ? `beside ${named[0]} there is no "${key}"` : `there is no ${noun} "${key}"`;
    const words = Object.keys(named.length > 0 ? settings : parts);
    problems.push(source.problem(at, code, message, { key, remedy: choice(key, words) }));
  }
  const [use] = named;
  if (named.length > 1 || (use === undefined && unknown.length === 0)) {
    const message = use === undefined ? `this ${noun} names no kind` : `one entry names ${named.join(" and ")}`;
    problems.push(source.problem(at, "one-kind", message, { remedy: `give each ${noun} an entry of its own` }));
  }
  if (use === undefined || named.length > 1) return undefined;
  const otherKeys = Object.fromEntries(Object.entries(entry).filter(([key]) => Object.hasOwn(settings, key)));
  const broken = unknown.flatMap((key) => nearest(key, Object.keys(settings)) ?? []).map((key) => [key]);
  return { use, part: parts[use] as Part, config: entry[use], settings: otherKeys, broken };
};

/** `16KiB` for `{ max: 16KiB }`; nothing for `{}`. */
const expandShortForm = (config: unknown, short: string | undefined): unknown =>
  config === null ? {} : short !== undefined && typeof config !== "object" ? { [short]: config } : config;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const entriesOf = (value: unknown): [string, unknown][] => (isMap(value) ? Object.entries(value) : []);
