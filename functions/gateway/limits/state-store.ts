/** Counts limits in the tier's Durable Objects, which implement the library's scripts natively. */
import type { ScriptStore } from "../core/ports/limits.ts";
import type { ScriptCall, State } from "../core/ports/state.ts";
import type { Deps } from "../core/types.ts";
import { withTimeout } from "../core/with-timeout.ts";

/** The library sends the text of a script only to a store that does not know its hash. */
const unknownScript = (): never => {
  throw new Error(
    "NOSCRIPT the store does not know this script; its gate is linked with another version of the library",
  );
};

const scriptStore = (run: (call: ScriptCall) => Promise<unknown>): ScriptStore => ({
  evalsha: async (sha, keys, args) => (await run({ sha, keys, args: args.map(Number) })) ?? unknownScript(),
  eval: async () => unknownScript(),
});

/** A store in the tier's Durable Objects. */
export const stateStore = (state: State, timeoutMs: number, deps: Pick<Deps, "after">): ScriptStore =>
  scriptStore((call) => withTimeout(timeoutMs, deps, (signal) => state.run(call, signal)));
