/** `postern cost`: the cost of each route of a tier, as measured by its gates and the tail. */
import type { RouteCost } from "../../../functions/control/telemetry/cost.ts";
import { type ControlClientOptions, controlClientFor } from "../../release/control-client.ts";
import { formatTime } from "../../terminal/arguments.ts";
import type { Outcome } from "../../terminal/outcome.ts";
import { table } from "../../terminal/table.ts";

export const cost = async (tier: string, options: ControlClientOptions): Promise<Outcome> => {
  const client = controlClientFor(options);
  const costs = await client.call<readonly RouteCost[]>("GET", `/v1/tiers/${tier}/cost`);
  return { exitCode: 0, text: costTable(tier, costs), data: costs };
};

const width = 24;

/** The bars show CPU; without CPU measurements, as on the local cloud, upstream time. */
export const costTable = (tier: string, costs: readonly RouteCost[]): string => {
  if (costs.length === 0) return `nothing has been counted of ${tier} yet\n`;
  const measured = costs.some(({ cpuMs }) => cpuMs > 0);
  const weights = costs.map((it) => (measured ? cpuOf(it) : it.upstreamMs));
  const total = weights.reduce((sum, it) => sum + it, 0);
  const rows = costs.map((it, index) => {
    const share = total > 0 ? (weights[index] ?? 0) / total : 0;
    return [
      it.route || "(none)",
      it.requests,
      it.cpuRequests > 0 && it.cpuMs > 0 ? `${short(it.cpuMs / it.cpuRequests)} ms` : "-",
      it.requests > 0 ? `${short(it.upstreamMs / it.requests)} ms` : "-",
      it.requests > 0 ? size(it.bytesIn / it.requests) : "-",
      it.requests > 0 ? size(it.bytesOut / it.requests) : "-",
      `${String(Math.round(share * 100)).padStart(3)} %  ${"#".repeat(Math.round(share * width))}`,
    ];
  });
  const since = formatTime(Math.min(...costs.map((it) => it.since))).slice(0, 16);
  const head = [
    "route",
    "requests",
    "CPU",
    "upstream",
    "in",
    "out",
    measured ? "share of CPU" : "share of upstream time",
  ];
  return `${table(head, rows)}since ${since} UTC; CPU, upstream, in and out of one request\n`;
};

/** CPU of all requests, extrapolated from those with known CPU. */
const cpuOf = ({ requests, cpuMs, cpuRequests }: RouteCost): number =>
  cpuRequests > 0 ? (cpuMs / cpuRequests) * Math.max(requests, cpuRequests) : cpuMs;

const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

const size = (bytes: number): string => {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  return bytes < 1024 ** 2 ? `${short(bytes / 1024)} KiB` : `${short(bytes / 1024 ** 2)} MiB`;
};
