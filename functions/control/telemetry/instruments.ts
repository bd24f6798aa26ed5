/** The instruments for Prometheus and OTLP: names, units, labels, and how they are computed from the stored counts. */

import { frontName } from "../../front/front-name.ts";
import type { Bins } from "../../gateway/observability/samples.ts";
import { sumOfBins } from "./counts/samples.ts";
import type { TallyName } from "./counts/tally.ts";
import type { StoredSeries, StoredTally } from "./store-tables.ts";

/** In a unit of UCUM. */
type Unit =
  | "1"
  | "s"
  | "By"
  | `{${"request" | "decision" | "report" | "push" | "item" | "line" | "stream" | "state" | "verdict"}}`;

interface Descriptor {
  /** In OpenTelemetry's notation. */
  readonly name: string;
  readonly unit: Unit;
  readonly help: string;
}

export interface Point<V> {
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Start of the count, in milliseconds since the epoch. */
  readonly since: number;
  /** Time of the last change. */
  readonly heard: number;
  readonly value: V;
}

export type Instrument =
  | (Descriptor & { readonly kind: "sum" | "gauge"; readonly points: readonly Point<number>[] })
  | (Descriptor & { readonly kind: "histogram"; readonly points: readonly Point<Bins>[] });

export interface StoredTelemetry {
  readonly series: readonly StoredSeries[];
  readonly tallies: readonly StoredTally[];
}

/** All instruments of one tier, or of the front. An instrument without counts has no points. */
export const instrumentsOf = (tier: string, stored: StoredTelemetry): readonly Instrument[] =>
  tier === frontName ? [frontDuration(stored), ...tallyPoints(stored)] : instruments(stored);

/** Under a name of its own: requests of the front are also those of its gates. */
const frontDuration = ({ series }: StoredTelemetry): Instrument => ({
  name: "postern.front.duration",
  unit: "s",
  help: "From a request to the front to its response's headers, by class of the status",
  kind: "histogram",
  points: groupPoints(series, ["status"], ({ latency }) => latency, sumOfBins).map(
    ({ labels: { status = "" }, ...point }) => ({ ...point, labels: { class: status } }),
  ),
});

/** All instruments of one tier. */
export const instruments = ({ series, tallies }: StoredTelemetry): readonly Instrument[] => [
  ...seriesSums.map(
    ({ value, labels, ...descriptor }): Instrument => ({
      ...descriptor,
      kind: "sum",
      points: groupPoints(series, labels, value, (a, b) => a + b),
    }),
  ),
  {
    name: "http.server.request.duration",
    unit: "s",
    help: "From a request to its response's headers, or until the client disconnected",
    kind: "histogram",
    points: groupPoints(series, ["route", "method", "status", "verdict"], ({ latency }) => latency, sumOfBins),
  },
  ...tallyPoints({ tallies }),
];

const tallyPoints = ({ tallies }: Pick<StoredTelemetry, "tallies">): readonly Instrument[] =>
  tallyInstruments.map(
    ({ tally, scale = 1, ...descriptor }): Instrument => ({
      ...descriptor,
      kind: "sum",
      points: tallies
        .filter(({ name }) => name === tally)
        .map(({ value, ...it }) => ({ ...it, value: rounded(value * scale) })),
    }),
  );

type Label = "route" | "method" | "status" | "verdict" | "by" | "code" | "upstream";

const outcomeLabels = ["route", "method", "status", "verdict", "by", "code", "upstream"] as const;

const seriesSums: readonly (Descriptor & {
  readonly labels: readonly Label[];
  readonly value: (it: StoredSeries) => number;
})[] = [
  {
    name: "postern.requests",
    unit: "{request}",
    help: "Requests that a gate answered or whose client disconnected",
    labels: outcomeLabels,
    value: ({ count }) => count,
  },
  {
    name: "postern.upstream",
    unit: "s",
    help: "Time until the upstreams' headers",
    labels: ["route", "upstream"],
    value: ({ upstreamMs }) => rounded(upstreamMs / 1000),
  },
  {
    name: "postern.request",
    unit: "By",
    help: "Request bodies of known length",
    labels: ["route"],
    value: ({ bytesIn }) => bytesIn,
  },
  {
    name: "postern.response",
    unit: "By",
    help: "Response bodies of known length",
    labels: ["route"],
    value: ({ bytesOut }) => bytesOut,
  },
];

const tallyInstruments: readonly (Descriptor & { readonly tally: TallyName; readonly scale?: number })[] = [
  {
    tally: "cpu",
    scale: 0.001,
    name: "postern.cpu",
    unit: "s",
    help: "CPU of the gate's Worker, as reported by the tail",
  },
  {
    tally: "cpu-requests",
    name: "postern.cpu.requests",
    unit: "{request}",
    help: "Requests whose CPU the tail knows: those with an access line",
  },
  {
    tally: "deaths",
    name: "postern.deaths",
    unit: "{request}",
    help: "Requests that died without a report, counted by the tail and separately by the front",
  },
  {
    tally: "front",
    name: "postern.front.requests",
    unit: "{request}",
    help: "Requests that the front forwarded to a gate or answered itself",
  },
  {
    tally: "faults",
    name: "postern.faults",
    unit: "{line}",
    help: "Fault lines of gates, as reported by the tail: feed-lost if the overlay was unavailable",
  },
  { tally: "shadow", name: "postern.shadow", unit: "{decision}", help: "Decisions of shadowed filters" },
  {
    tally: "degraded",
    name: "postern.degraded",
    unit: "{decision}",
    help: "Decisions that a filter made by its on-failure because its store was unavailable",
  },
  { tally: "streams", name: "postern.streams.ended", unit: "{stream}", help: "Streams that the gate ended" },
  {
    tally: "bodies",
    name: "postern.bodies.failed",
    unit: "{request}",
    help: "Responses whose body broke off or stalled after the headers, and whose client had not left",
  },
  {
    tally: "reports-lost",
    name: "postern.reports.lost",
    unit: "{report}",
    help: "Reports of isolates that were lost",
  },
  {
    tally: "reports-refused",
    name: "postern.reports.refused",
    unit: "{report}",
    help: "Rejected reports: a gate of the tier reported for a tier that it does not serve",
  },
  { tally: "pushes", name: "postern.otlp.pushes", unit: "{push}", help: "Pushes to the collector" },
  {
    tally: "push-lost",
    name: "postern.otlp.lost",
    unit: "{item}",
    help: "Spans and data points that did not reach the collector",
  },
  {
    tally: "analytics-lost",
    name: "postern.analytics.lost",
    unit: "{item}",
    help: "Data points beyond what Analytics Engine accepts of one report",
  },
];

/** Sums series that differ only in labels that the instrument omits. */
const groupPoints = <V>(
  series: readonly StoredSeries[],
  names: readonly Label[],
  read: (it: StoredSeries) => V,
  add: (a: V, b: V) => V,
): Point<V>[] => {
  const all = new Map<string, Point<V>>();
  for (const it of series) {
    const labels = Object.fromEntries(names.map((name) => [name, it[name]]));
    const key = [it.version, ...Object.values(labels)].join("\n");
    const known = all.get(key);
    const { version, since, heard } = it;
    const value = read(it);
    all.set(
      key,
      known
        ? {
            ...known,
            since: Math.min(known.since, since),
            heard: Math.max(known.heard, heard),
            value: add(known.value, value),
          }
        : { version, labels, since, heard, value },
    );
  }
  return [...all.values()];
};

/** Rounds away the floating-point error of sums. */
const rounded = (value: number): number => Number(value.toPrecision(12));
