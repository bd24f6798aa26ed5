/** Every part there is, for the tools. A gate never sees this: it is linked with the parts that its plan uses. */
export { filters } from "../functions/filters/registry.gen.ts";
export { upstreams } from "../functions/upstreams/registry.gen.ts";
