/** What a limit does where its store fails: it counts here, lets pass or gives no verdict, and marks the request. */
import type { LimitCounter, LimitVerdict } from "../core/ports/limits.ts";
import type { Context, Deps, FilterInstance } from "../core/types.ts";
import { storeBreaker } from "./store-breaker.ts";

/** Counts a request of a key. No verdict where the store failed and that refuses. */
export type LimitWithFallback = (
  key: string,
  context: Context,
) => LimitVerdict | undefined | Promise<LimitVerdict | undefined>;

/**
 * What is done where the store fails. Per isolate.
 * @param fallback without it, no verdict is given
 */
export const withFallback = (
  limit: LimitCounter,
  fallback: LimitCounter | undefined,
  { tier, id }: FilterInstance,
  deps: Deps,
): LimitWithFallback => {
  const breaker = storeBreaker(deps);
  const useFallback = (key: string, context: Context) => {
    context.outcome.degraded = [...(context.outcome.degraded ?? []), id];
    return fallback?.(key);
  };
  const onFailure = (cause: unknown, key: string, context: Context) => {
    breaker.failed(key, cause);
    const { message } = cause instanceof Error ? cause : new Error(String(cause));
    deps.log({ type: "degraded", tier, filter: id, cause: message.slice(0, 300), request: context.caller.requestId });
    return useFallback(key, context);
  };
  return (key, context) => {
    if (breaker.isOpen(key)) return useFallback(key, context);
    const verdict = limit(key);
    if (!(verdict instanceof Promise)) return verdict;
    return verdict.then(
      (it) => {
        breaker.succeeded(key);
        return it;
      },
      (cause: unknown) => onFailure(cause, key, context),
    );
  };
};
