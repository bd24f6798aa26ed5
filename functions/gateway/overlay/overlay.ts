/** The small run-time configuration over a plan. It closes, tightens, enforces, and moves users among the places that the plan names; nothing that it holds can open anything. */
import type { Plan, RouteClosure } from "../core/plan.ts";
import type { RevocationEntry, StoredRevocation } from "../core/ports/revocations.ts";

export type OverlayChange =
  /** A route, or all of the tier. */
  | { readonly kind: "close"; readonly route: string | null; readonly closed: RouteClosure }
  /** A limit besides those that a filter has, as `10/s`: a request must be allowed by each, so it can only be tighter. */
  | { readonly kind: "limit"; readonly filter: string; readonly limit: string }
  /** What is shadowed, where enforcing it can only tighten. */
  | { readonly kind: "enforce"; readonly filter: string }
  /** The share of users whom the gate serves itself, as `10%`, of a route that is cut over. */
  | { readonly kind: "cutover"; readonly route: string; readonly percent: string }
  /** Of all upstreams that a route chooses among. */
  | { readonly kind: "weights"; readonly route: string; readonly weights: Readonly<Record<string, number>> }
  /** Streams of versions that were taken back have ended then; milliseconds since the epoch. */
  | { readonly kind: "drain"; readonly versions: readonly string[]; readonly ends: number };

export type OverlayEntry = OverlayChange & {
  readonly id: string;
  /** Milliseconds since the epoch; it is gone then. */
  readonly until: number;
  readonly by: string;
  readonly reason: string;
};

export type EntryOfKind<K extends OverlayChange["kind"]> = Extract<OverlayEntry, { readonly kind: K }>;

/** What lasts longer belongs into the manifest. */
export const maxEntryMs = 7 * 86_400_000;

/** What a tier's gates are told. */
export interface FeedMessage {
  readonly revision: number;
  readonly entries: readonly OverlayEntry[];
  readonly revoked?: readonly RevocationEntry[];
}

/** What is kept of it. */
export interface StoredFeed extends FeedMessage {
  readonly revoked?: readonly StoredRevocation[];
}

/** When what a gate knows is so old, its requests wait for news: what was closed is closed everywhere by then. */
export const maxFeedAgeMs = 10_000;

/** Of one tier. */
export const maxEntries = 100;

/** What does not fit the plan is left out: a gate that is older or newer than an entry goes on. */
export const applyOverlay = (
  plan: Plan,
  entries: readonly OverlayChange[],
  trafficShift: TrafficShift = noTrafficShift,
): Plan => entries.reduce((it, change) => withChange(it, change, trafficShift), plan);

/** A gate whose routes have nowhere to move users to carries nothing of it. */
export type TrafficShift = (
  plan: Plan,
  change: Extract<OverlayChange, { readonly kind: "cutover" | "weights" }>,
) => Plan;

const noTrafficShift: TrafficShift = (plan) => plan;

const withChange = (plan: Plan, change: OverlayChange, trafficShift: TrafficShift): Plan => {
  if (change.kind === "drain") return plan;
  if (change.kind === "close") {
    const close = (name: string) => change.route === null || change.route === name;
    return {
      ...plan,
      routes: mapValues(plan.routes, (route, name) => (close(name) ? { ...route, closed: change.closed } : route)),
    };
  }
  if (change.kind === "cutover" || change.kind === "weights") return trafficShift(plan, change);
  const filter = Object.hasOwn(plan.filters, change.filter) ? plan.filters[change.filter] : undefined;
  if (!filter) return plan;
  if (change.kind === "enforce")
    return filter.enforceable ? withFilter(plan, change.filter, { ...filter, mode: "enforce" }) : plan;
  return withFilter(plan, change.filter, { ...filter, limits: [...(filter.limits ?? []), change.limit] });
};

const withFilter = (plan: Plan, id: string, filter: Plan["filters"][string]): Plan => ({
  ...plan,
  filters: { ...plan.filters, [id]: filter },
});

const mapValues = <T>(all: Readonly<Record<string, T>>, map: (value: T, key: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(all).map(([key, value]) => [key, map(value, key)]));
