/** Writes the counts of all tiers in Prometheus' text format (exposition formats, version 0.0.4). */
import type { Bins } from "../../gateway/observability/samples.ts";
import { bounds, histogram } from "../telemetry/counts/histogram.ts";
import type { Instrument, Point } from "../telemetry/instruments.ts";

export interface TierInstruments {
  readonly tier: string;
  /** Each tier has the same instruments in the same order. */
  readonly instruments: readonly Instrument[];
}

export const prometheusText = (tiers: readonly TierInstruments[]): string => {
  const byName = Map.groupBy(
    tiers.flatMap(({ tier, instruments }) => instruments.map((it) => ({ tier, it }))),
    ({ it }) => it.name,
  );
  const families = [...byName.values()].map((some) => {
    const lines = some.flatMap(({ tier, it }) => linesOf(tier, it));
    return lines.length > 0 && some[0] ? [...headerLines(some[0].it), ...lines] : [];
  });
  return `${families.flat().join("\n")}\n`;
};

const unitSuffixes: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes", "1": "_ratio" };

/** Follows OpenTelemetry's "Prometheus and OpenMetrics Compatibility", so that names match those of a collector. */
const nameOf = ({ name, unit, kind }: Instrument): string =>
  `${name.replaceAll(".", "_")}${unitSuffixes[unit] ?? ""}${kind === "sum" ? "_total" : ""}`;

const headerLines = (it: Instrument): string[] => [
  `# HELP ${nameOf(it)} ${it.help}`,
  `# TYPE ${nameOf(it)} ${it.kind === "sum" ? "counter" : it.kind}`,
];

const linesOf = (tier: string, it: Instrument): string[] => {
  const name = nameOf(it);
  return it.kind === "histogram"
    ? it.points.flatMap((point) => bucketLines(name, labels(tier, point), point.value))
    : it.points.map((point) => `${name}{${labels(tier, point)}} ${point.value}`);
};

const labels = (tier: string, { version, labels }: Point<unknown>): string =>
  Object.entries({ tier, version, ...labels })
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(",");

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const bucketLines = (name: string, labels: string, bins: Bins): string[] => {
  const { counts, count, sum } = histogram(bins);
  let cumulative = 0;
  const lines = [...bounds, "+Inf"].map((bound, index) => {
    cumulative += counts[index] ?? 0;
    return `${name}_bucket{${labels},le="${bound}"} ${cumulative}`;
  });
  return [...lines, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`];
};
