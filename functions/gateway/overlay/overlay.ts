/**
 * The overlay: a small run-time configuration over a plan. It closes routes, tightens limits, enforces shadowed
 * filters, and moves users among the destinations that the plan names. It can never open anything.
 */
import type { Plan, RouteClosure } from "../core/plan.ts";
import type { RevocationEntry, StoredRevocation } from "../core/ports/revocations.ts";

export type OverlayChange =
  /** Closes a route, or the whole tier. */
  | { readonly kind: "close"; readonly route: string | null; readonly closed: RouteClosure }
  /** Adds a limit to a filter, such as `10/s`. Every limit must allow a request, so this only tightens. */
  | { readonly kind: "limit"; readonly filter: string; readonly limit: string }
  /** Enforces a shadowed filter, if that only tightens. */
  | { readonly kind: "enforce"; readonly filter: string }
  /** Sets the share of users that this gate serves, such as `10%`, of a route in cutover. */
  | { readonly kind: "cutover"; readonly route: string; readonly percent: string }
  /** Sets the weights of all upstreams of a route. */
  | { readonly kind: "weights"; readonly route: string; readonly weights: Readonly<Record<string, number>> }
  /** Drains streams of versions that were rolled back until then, in milliseconds since the epoch. */
  | { readonly kind: "drain"; readonly versions: readonly string[]; readonly ends: number }
  /** Measures the bodies of responses, while a rollout compares two versions. */
  | { readonly kind: "measure" }
  /** The epoch of each Worker, by which the front assigns its users to versions. Only in the feed of the front. */
  | { readonly kind: "epochs"; readonly epochs: Readonly<Record<string, string>> };

export type OverlayEntry = OverlayChange & {
  readonly id: string;
  /** When the entry expires, in milliseconds since the epoch. */
  readonly until: number;
  readonly by: string;
  readonly reason: string;
};

export type EntryOfKind<K extends OverlayChange["kind"]> = Extract<OverlayEntry, { readonly kind: K }>;

/** Longer changes belong in the manifest. */
export const maxEntryMs = 7 * 86_400_000;

/** The feed's message to gates. */
export interface FeedMessage {
  readonly revision: number;
  readonly entries: readonly OverlayEntry[];
  readonly revoked?: readonly RevocationEntry[];
}

/** The feed as it is stored. */
export interface StoredFeed extends FeedMessage {
  readonly revoked?: readonly StoredRevocation[];
}

/** A gate with an older message waits for a refresh, so that a closed route is closed everywhere within this time. */
export const maxFeedAgeMs = 10_000;

/** Per tier. */
export const maxEntries = 100;

/** A change, and when it ends. Without an end, a closed route has no known end. */
type BoundedChange = OverlayChange & { readonly until?: number };

/** Applies changes to a plan. Skips those that do not fit it, so that older and newer gates keep working. */
export const applyOverlay = (
  plan: Plan,
  entries: readonly BoundedChange[],
  trafficShift: TrafficShift = noTrafficShift,
): Plan => entries.reduce((it, change) => withChange(it, change, trafficShift), plan);

/** Applies changes of weights and cutovers. Bundled only with gates that have such routes. */
export type TrafficShift = (
  plan: Plan,
  change: Extract<OverlayChange, { readonly kind: "cutover" | "weights" }>,
) => Plan;

const noTrafficShift: TrafficShift = (plan) => plan;

const withChange = (plan: Plan, change: BoundedChange, trafficShift: TrafficShift): Plan => {
  if (change.kind === "drain" || change.kind === "measure" || change.kind === "epochs") return plan;
  if (change.kind === "close") {
    const close = (name: string) => change.route === null || change.route === name;
    return {
      ...plan,
      routes: mapValues(plan.routes, (route, name) =>
        close(name) ? { ...route, closed: closureOf(change, route.closed) } : route,
      ),
    };
  }
  if (change.kind === "cutover" || change.kind === "weights") return trafficShift(plan, change);
  const filter = Object.hasOwn(plan.filters, change.filter) ? plan.filters[change.filter] : undefined;
  if (!filter) return plan;
  if (change.kind === "enforce")
    return filter.enforceable ? withFilter(plan, change.filter, { ...filter, mode: "enforce" }) : plan;
  return withFilter(plan, change.filter, { ...filter, limits: [...(filter.limits ?? []), change.limit] });
};

/**
 * The route opens when the last entry that closes it ends. A closure of the manifest has no end, and a wait that it names
 * stays unless the entry names another.
 */
const closureOf = (
  { closed: { "retry-after": wait, detail }, until }: BoundedChange & { readonly kind: "close" },
  before: RouteClosure | undefined,
): RouteClosure => {
  const hasEnd = until !== undefined && (before === undefined || before.until !== undefined);
  const retryAfter = wait ?? (hasEnd ? undefined : before?.["retry-after"]);
  return {
    ...(retryAfter !== undefined && { "retry-after": retryAfter }),
    ...(detail !== undefined && { detail }),
    ...(hasEnd && { until: Math.max(until, before?.until ?? 0) }),
  };
};

const withFilter = (plan: Plan, id: string, filter: Plan["filters"][string]): Plan => ({
  ...plan,
  filters: { ...plan.filters, [id]: filter },
});

const mapValues = <T>(all: Readonly<Record<string, T>>, map: (value: T, key: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));
