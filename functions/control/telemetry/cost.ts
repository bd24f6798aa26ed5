/** The cost of each route of a tier: CPU, upstream time, body sizes. Used for capacity planning. */
import type { StoredTelemetry } from "./instruments.ts";

export interface RouteCost {
  /** Empty for requests without a route. */
  readonly route: string;
  readonly requests: number;
  /** Milliseconds, summed over requests with known CPU. */
  readonly cpuMs: number;
  readonly cpuRequests: number;
  readonly upstreamMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Sums over all versions; the route with the most requests first. */
export const costsOf = ({ series, tallies }: StoredTelemetry): RouteCost[] => {
  const all = new Map<string, RouteCost>();
  const add = (route: string, since: number, more: Partial<Omit<RouteCost, "route" | "since">>): void => {
    const it = all.get(route) ?? { ...noCost, route, since };
    const sums = Object.fromEntries(
      Object.entries(more).map(([key, value]) => [key, it[key as keyof typeof more] + value]),
    );
    all.set(route, { ...it, ...sums, since: Math.min(it.since, since) });
  };
  for (const { route, since, count: requests, upstreamMs, bytesIn, bytesOut } of series)
    add(route, since, { requests, upstreamMs, bytesIn, bytesOut });
  for (const { name, labels, since, value } of tallies) {
    if (name === "cpu") add(labels.route ?? "", since, { cpuMs: value });
    if (name === "cpu-requests") add(labels.route ?? "", since, { cpuRequests: value });
  }
  return [...all.values()].toSorted((a, b) => b.requests - a.requests || (a.route < b.route ? -1 : 1));
};

const noCost = { requests: 0, cpuMs: 0, cpuRequests: 0, upstreamMs: 0, bytesIn: 0, bytesOut: 0 };
