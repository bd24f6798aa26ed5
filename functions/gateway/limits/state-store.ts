/** Limits that are counted in the tier's Durable Objects, which hold the library's scripts as code of their own. */
import type { Store } from "../core/ports/limits.ts";
import type { Call, State } from "../core/ports/state.ts";
import type { Deps } from "../core/types.ts";
import { within } from "../core/with-timeout.ts";

/** The library sends a script's text only to a store that does not know its hash. */
const notKnown = (): never => {
  throw new Error(
    "NOSCRIPT the store does not know this script; its gate is linked with another version of the library",
  );
};

const native = (run: (call: Call) => Promise<unknown>): Store => ({
  evalsha: async (sha, keys, args) => (await run({ sha, keys, args: args.map(Number) })) ?? notKnown(),
  eval: async () => notKnown(),
});

/** Counts in the tier's Durable Objects. */
export const inState = (state: State, timeoutMs: number, deps: Pick<Deps, "after">): Store =>
  native((call) => within(timeoutMs, deps, (signal) => state.run(call, signal)));
