/** The harness of tests of parts, in workerd: with the bindings of the tests' Worker, and counters in real Durable Objects. */
import { env } from "cloudflare:workers";
import { type State, stateClient } from "../../functions/gateway/core/ports/state.ts";
import type { Deps } from "../../functions/gateway/core/types.ts";
import { objectNameOf } from "../../functions/state/contract.ts";
import * as harness from "../../functions/testing/gate-harness.ts";

export type { FakeDeps, GateOptions, RouteOptions, UpstreamRequest } from "../../functions/testing/gate-harness.ts";
export { cacheKey, caller, filterInstance, locationCache, planAndParts } from "../../functions/testing/gate-harness.ts";

/** State of a tier, backed by the real Durable Objects. */
export const stateOf = (tier = crypto.randomUUID()): State => {
  const namespace = (env as { readonly COUNTERS?: DurableObjectNamespace }).COUNTERS as DurableObjectNamespace;
  return stateClient({
    fetch: (input, init) => {
      const request = new Request(input as string, init as RequestInit);
      return namespace.getByName(objectNameOf(new URL(request.url), { tier, shards: 2 })).fetch(request) as never;
    },
  });
};

export const fakeDeps = (over: Partial<Deps> = {}): harness.FakeDeps =>
  harness.fakeDeps({
    env: { ...(env as unknown as Deps["env"]), ...harness.cacheKey() },
    state: stateOf(),
    ...over,
  });

export const gateHarness = (
  filters: Parameters<typeof harness.gateHarness>[0],
  options: harness.GateOptions = {},
): ReturnType<typeof harness.gateHarness> =>
  harness.gateHarness(filters, { ...options, fakeDeps: options.fakeDeps ?? fakeDeps() });
