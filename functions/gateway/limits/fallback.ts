/**
 * Applies `on-failure` when the store of a limit fails: counts locally, allows, or gives no verdict. The request is
 * marked as degraded.
 */
import type { LimitCounter, LimitVerdict } from "../core/ports/limits.ts";
import type { Context, Deps, FilterInstance } from "../core/types.ts";
import { storeBreaker } from "./store-breaker.ts";

/** Counts a request. No verdict when the store failed and `on-failure` is `deny`. */
export type LimitWithFallback = (
  key: string,
  context: Context,
) => LimitVerdict | undefined | Promise<LimitVerdict | undefined>;

/**
 * Wraps a limit with its fallback and a circuit breaker. Per isolate.
 * @param fallback undefined for `deny`: no verdict is given
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
