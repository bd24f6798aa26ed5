/** What is measured, once for Prometheus and for OTLP: names, units, labels, and how they come out of what is kept. */
import type { Bins } from "../../gateway/observability/samples.ts";
import { sumOfBins } from "./samples.ts";
import type { StoredSeries, StoredTally } from "./store.ts";
import type { TallyName } from "./tally.ts";

/** In a unit of UCUM. */
type Unit = "s" | "By" | "{request}" | "{decision}" | "{report}" | "{push}" | "{item}" | "{line}" | "{stream}";

interface Descriptor {
  /** As OpenTelemetry writes it. */
  readonly name: string;
  readonly unit: Unit;
  readonly help: string;
}

export interface Point<V> {
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch: what it counts began then. */
  readonly since: number;
  /** The last time that it grew. */
  readonly heard: number;
  readonly value: V;
}

export type Instrument =
  | (Descriptor & { readonly kind: "sum"; readonly points: readonly Point<number>[] })
  | (Descriptor & { readonly kind: "histogram"; readonly points: readonly Point<Bins>[] });

export interface StoredTelemetry {
  readonly series: readonly StoredSeries[];
  readonly tallies: readonly StoredTally[];
}

/** All of one tier. An instrument that counted nothing has no points. */
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
    help: "From a request to its response's headers, or until its client left",
    kind: "histogram",
    points: groupPoints(series, ["route", "method", "status", "verdict"], ({ latency }) => latency, sumOfBins),
  },
  ...tallyInstruments.map(
    ({ tally, scale = 1, ...descriptor }): Instrument => ({
      ...descriptor,
      kind: "sum",
      points: tallies
        .filter(({ name }) => name === tally)
        .map(({ value, ...it }) => ({ ...it, value: rounded(value * scale) })),
    }),
  ),
];

type Label = "route" | "method" | "status" | "verdict" | "by" | "code" | "upstream";

const outcomeLabels = ["route", "method", "status", "verdict", "by", "code", "upstream"] as const;

const seriesSums: readonly (Descriptor & {
  readonly labels: readonly Label[];
  readonly value: (it: StoredSeries) => number;
})[] = [
  {
    name: "postern.requests",
    unit: "{request}",
    help: "Requests that a gate answered, or that their client left",
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
    help: "Bodies of requests, where their length was said",
    labels: ["route"],
    value: ({ bytesIn }) => bytesIn,
  },
  {
    name: "postern.response",
    unit: "By",
    help: "Bodies of responses, where their length was said",
    labels: ["route"],
    value: ({ bytesOut }) => bytesOut,
  },
];

const tallyInstruments: readonly (Descriptor & { readonly tally: TallyName; readonly scale?: number })[] = [
  { tally: "cpu", scale: 0.001, name: "postern.cpu", unit: "s", help: "CPU of the gate's Worker, as the tail heard" },
  {
    tally: "cpu-requests",
    name: "postern.cpu.requests",
    unit: "{request}",
    help: "Requests of which the tail heard the CPU: those that have an access line",
  },
  {
    tally: "deaths",
    name: "postern.deaths",
    unit: "{request}",
    help: "Requests that died without a word, as seen by the tail, and again as seen by the front",
  },
  {
    tally: "front",
    name: "postern.front.requests",
    unit: "{request}",
    help: "Requests that the front handed to a gate or answered itself",
  },
  {
    tally: "faults",
    name: "postern.faults",
    unit: "{line}",
    help: "Faults that gates wrote a line of, as the tail heard: feed-lost where an overlay was not to be had",
  },
  { tally: "shadow", name: "postern.shadow", unit: "{decision}", help: "Decisions of shadowed filters" },
  {
    tally: "degraded",
    name: "postern.degraded",
    unit: "{decision}",
    help: "Decisions that a filter made by its on-failure, since its store was not to be had",
  },
  { tally: "streams", name: "postern.streams.ended", unit: "{stream}", help: "Streams that the gate ended" },
  {
    tally: "reports-lost",
    name: "postern.reports.lost",
    unit: "{report}",
    help: "Reports of isolates that reached nobody",
  },
  {
    tally: "reports-refused",
    name: "postern.reports.refused",
    unit: "{report}",
    help: "Reports that a gate of the tier made in the name of a tier that it does not serve",
  },
  { tally: "pushes", name: "postern.otlp.pushes", unit: "{push}", help: "Pushes to the collector" },
  {
    tally: "push-lost",
    name: "postern.otlp.lost",
    unit: "{item}",
    help: "Spans and data points that reached no collector",
  },
  {
    tally: "analytics-lost",
    name: "postern.analytics.lost",
    unit: "{item}",
    help: "Data points more than Analytics Engine takes of one report",
  },
];

/** Adds up what differs only in labels that are left out. */
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

/** Sums of fractions end in no digits that nobody measured. */
const rounded = (value: number): number => Number(value.toPrecision(12));
