/** Every part there is, for the tools. A gate never sees this: it is linked with the parts that its plan uses. */
import { filters as filterModules } from "../../functions/filters/registry.gen.ts";
import type { FilterSpec, UpstreamSpec } from "../../functions/gateway/part.ts";
import { upstreams as upstreamModules } from "../../functions/upstreams/registry.gen.ts";

/** What the parts are, each asked once: to make a schema takes longer than to use it. */
export interface Registry {
  readonly filters: Readonly<Record<string, FilterSpec>>;
  readonly upstreams: Readonly<Record<string, UpstreamSpec>>;
}

const specsOf = <About>(modules: Readonly<Record<string, { readonly spec: () => About }>>): Record<string, About> =>
  Object.fromEntries(Object.entries(modules).map(([name, { spec }]) => [name, spec()]));

export const registry: Registry = { filters: specsOf(filterModules), upstreams: specsOf(upstreamModules) };
