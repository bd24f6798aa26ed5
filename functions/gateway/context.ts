/** Creates the context of one request. */

import type { ConcurrencySlot } from "./core/concurrency.ts";
import type { Caller, Context, GateSettings } from "./core/types.ts";
import type { RequestUrl } from "./http/request-url.ts";
import type { Match } from "./routing/router.ts";

interface ContextInit {
  readonly caller: Caller;
  readonly started: number;
  readonly url: RequestUrl;
  readonly tier: string;
  readonly settings?: GateSettings | undefined;
  readonly slot?: ConcurrencySlot | undefined;
  /** Undefined when the path is ambiguous. */
  readonly found?: Match | undefined;
}

export const contextOf = ({ caller, started, url, tier, settings, slot, found }: ContextInit): Context => ({
  caller,
  started,
  url,
  route: { tier, name: found?.kind === "found" ? found.route : "" },
  captures: found?.kind === "found" ? found.captures : {},
  signal: undefined,
  facts: new Map(),
  settings,
  slot,
  outbound: [],
  inbound: [],
  outcome: { verdict: "passed" },
});
