/**
 * `postern/testing`: for tests of filters and upstreams. The law suite holds for every part, and `postern test` runs it; the
 * harness puts a part between a client and a fake service. Neither needs a test framework.
 */

export {
  type ClientResponse,
  type FakeDeps,
  fakeDeps,
  filterInstance,
  type GateOptions,
  gateHarness,
  type RouteOptions,
  type UpstreamRequest,
} from "./testing/gate-harness.ts";
export { type Law, laws } from "./testing/laws.ts";
