/**
 * All parts, for the tools: Postern's own and the project's. A gate does not import this: it is linked with the parts that
 * its plan uses.
 */
import { filters as filterModules } from "../../functions/filters/registry.gen.ts";
import type { FilterModule, FilterSpec, UpstreamModule, UpstreamSpec } from "../../functions/gateway/part.ts";
import { upstreams as upstreamModules } from "../../functions/upstreams/registry.gen.ts";
import type { PartGroup } from "./part-names.ts";
import { type Project, project } from "./project.ts";

/** The specs of the parts, each made once, since creating a schema takes longer than using it. */
export interface Registry {
  readonly filters: Readonly<Record<string, FilterSpec>>;
  readonly upstreams: Readonly<Record<string, UpstreamSpec>>;
  /** Names of parts of the project that cannot be loaded. */
  readonly broken: Readonly<Record<PartGroup, readonly string[]>>;
}

interface Modules {
  readonly filters: Readonly<Record<string, FilterModule>>;
  readonly upstreams: Readonly<Record<string, UpstreamModule>>;
}

const specsOf = <About>(modules: Readonly<Record<string, { readonly spec: () => About }>>): Record<string, About> =>
  Object.fromEntries(Object.entries(modules).map(([name, { spec }]) => [name, spec()]));

const builtIn = { filters: specsOf(filterModules), upstreams: specsOf(upstreamModules) };

interface All {
  readonly of: Project;
  readonly registry: Registry;
  readonly modules: Modules;
}

const merge = (of: Project): All => {
  const { parts, broken } = of.own;
  const own = <Of>(group: PartGroup, what: "spec" | "module") =>
    Object.fromEntries(parts.flatMap((it) => (it.group === group ? [[it.name, it[what] as Of]] : [])));
  return {
    of,
    registry: {
      filters: { ...builtIn.filters, ...own<FilterSpec>("filters", "spec") },
      upstreams: { ...builtIn.upstreams, ...own<UpstreamSpec>("upstreams", "spec") },
      broken,
    },
    modules: {
      filters: { ...filterModules, ...own<FilterModule>("filters", "module") },
      upstreams: { ...upstreamModules, ...own<UpstreamModule>("upstreams", "module") },
    },
  };
};

let merged: All = merge(project());

const current = (): All => {
  const now = project();
  if (merged.of !== now) merged = merge(now);
  return merged;
};

/** Of the running command's project. Its members change with the project, so nothing keeps them from when it was loaded. */
export const registry: Registry = {
  get filters() {
    return current().registry.filters;
  },
  get upstreams() {
    return current().registry.upstreams;
  },
  get broken() {
    return current().registry.broken;
  },
};

/** The modules of the same parts. */
export const partModules: Modules = {
  get filters() {
    return current().modules.filters;
  },
  get upstreams() {
    return current().modules.upstreams;
  },
};
