/** All parts, for the tools. A gate does not import this: it is linked with the parts that its plan uses. */
import { filters as filterModules } from "../../functions/filters/registry.gen.ts";
import type { FilterSpec, UpstreamSpec } from "../../functions/gateway/part.ts";
import { upstreams as upstreamModules } from "../../functions/upstreams/registry.gen.ts";

/** The specs of the parts, each made once, since creating a schema takes longer than using it. */
export interface Registry {
  readonly filters: Readonly<Record<string, FilterSpec>>;
  readonly upstreams: Readonly<Record<string, UpstreamSpec>>;
}

const specsOf = <About>(modules: Readonly<Record<string, { readonly spec: () => About }>>): Record<string, About> =>
  Object.fromEntries(Object.entries(modules).map(([name, { spec }]) => [name, spec()]));

export const registry: Registry = { filters: specsOf(filterModules), upstreams: specsOf(upstreamModules) };
