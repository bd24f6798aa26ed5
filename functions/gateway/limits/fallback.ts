/** What a limit does where its store fails: it counts here, lets pass or gives no verdict, and marks the request. */
import type { Limit, Verdict } from "../core/ports/limits.ts";
import type { Context, Deps, FilterPlace } from "../core/types.ts";
import { storeBreaker } from "./store-breaker.ts";

/** Counts a request of a key. No verdict where the store failed and that refuses. */
export type Sheltered = (key: string, context: Context) => Verdict | undefined | Promise<Verdict | undefined>;

/**
 * What is done where the store fails. Per isolate.
 * @param instead without it, no verdict is given
 */
export const sheltered = (
  limit: Limit,
  instead: Limit | undefined,
  { tier, id }: FilterPlace,
  deps: Deps,
): Sheltered => {
  const breaker = storeBreaker(deps);
  const without = (key: string, context: Context) => {
    context.outcome.degraded = [...(context.outcome.degraded ?? []), id];
    return instead?.(key);
  };
  const failed = (cause: unknown, key: string, context: Context) => {
    breaker.failed(key, cause);
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    deps.log({ type: "degraded", tier, filter: id, cause: message.slice(0, 300), request: context.caller.requestId });
    return without(key, context);
  };
  return (key, context) => {
    if (breaker.isOpen(key)) return without(key, context);
    const verdict = limit(key);
    if (!(verdict instanceof Promise)) return verdict;
    return verdict.then(
      (it) => {
        breaker.succeeded(key);
        return it;
      },
      (cause: unknown) => failed(cause, key, context),
    );
  };
};
