/** What travels with one request, as it begins. */
import type { Address } from "./address.ts";
import type { Match } from "./router.ts";
import type { Caller, Context } from "./types.ts";

/** @param found undefined where the path cannot be told */
export const contextOf = (caller: Caller, url: Address, tier: string, found: Match | undefined): Context => ({
  caller,
  url,
  route: { tier, name: found?.kind === "found" ? found.route : "" },
  captures: found?.kind === "found" ? found.captures : {},
  signal: undefined,
  facts: new Map(),
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});
