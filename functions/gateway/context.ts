/** What travels with one request, as it begins. */

import type { Place } from "./core/concurrency.ts";
import type { Caller, Context, Settings } from "./core/types.ts";
import type { Address } from "./http/request-url.ts";
import type { Match } from "./routing/router.ts";

interface Begun {
  readonly caller: Caller;
  readonly url: Address;
  readonly tier: string;
  readonly settings: Settings;
  readonly place: Place | undefined;
  /** Undefined where the path cannot be told. */
  readonly found: Match | undefined;
}

export const contextOf = ({ caller, url, tier, settings, place, found }: Begun): Context => ({
  caller,
  url,
  route: { tier, name: found?.kind === "found" ? found.route : "" },
  captures: found?.kind === "found" ? found.captures : {},
  signal: undefined,
  facts: new Map(),
  settings,
  place,
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});
