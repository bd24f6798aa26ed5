/** What a tier counted, as OTLP metrics: cumulative, so that a push that is lost loses nothing but its moment. */
import type { Bins } from "../../../gateway/observability/samples.ts";
import { bounds, histogram } from "../../telemetry/histogram.ts";
import type { Instrument, Point } from "../../telemetry/instruments.ts";
import { type Attribute, attributes, nanos, resource, type Service, scope } from "./json.ts";

/** Told to the collector as things stand now. */
export interface Told extends Omit<Service, "version"> {
  /** Path templates by route: `/wallet/v1/accounts/{id}`. */
  readonly paths: Readonly<Record<string, string>>;
  readonly scheme: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Of one message. */
const mostPoints = 2000;

/**
 * ExportMetricsServiceRequests, each with the number of its data points.
 * @param versions those that are told of; others have been silent for long
 */
export const metricsOf = (
  instruments: readonly Instrument[],
  told: Told,
  versions: ReadonlySet<string>,
): { readonly message: object; readonly points: number }[] =>
  [...versions].flatMap((version) => {
    const metrics = instruments.flatMap((it) => metricsIn(it, version, told));
    return batches(metrics).map((some) => ({
      message: {
        resourceMetrics: [
          {
            resource: resource({ ...told, version }),
            scopeMetrics: [{ scope, metrics: some.map(({ metric }) => metric) }],
          },
        ],
      },
      points: some.reduce((sum, { points }) => sum + points, 0),
    }));
  });

interface Metric {
  readonly metric: object;
  readonly points: number;
}

const cumulative = 2;

/** One metric, in several pieces where it has many points. */
const metricsIn = (it: Instrument, version: string, told: Told): Metric[] => {
  const about = { name: it.name, unit: it.unit, description: it.help };
  if (it.kind === "sum")
    return pieces(it.points.filter((point) => point.version === version)).map((some) => ({
      metric: {
        ...about,
        sum: {
          aggregationTemporality: cumulative,
          isMonotonic: true,
          dataPoints: some.map((point) => ({ ...framed(point, told), ...number(point.value, it.unit) })),
        },
      },
      points: some.length,
    }));
  return pieces(it.points.filter((point) => point.version === version)).map((some) => ({
    metric: {
      ...about,
      histogram: {
        aggregationTemporality: cumulative,
        dataPoints: some.map((point) => ({ ...framed(point, told), ...distribution(point.value) })),
      },
    },
    points: some.length,
  }));
};

const framed = ({ labels, since }: Point<unknown>, told: Told) => ({
  attributes: attributesOf(labels, told),
  startTimeUnixNano: nanos(since),
  timeUnixNano: nanos(told.now),
});

/** A metric's numbers are of one type for ever. */
const number = (value: number, unit: Instrument["unit"]) =>
  unit === "s" ? { asDouble: value } : { asInt: String(Math.round(value)) };

const distribution = (bins: Bins) => {
  const { counts, count, sum } = histogram(bins);
  return { count: String(count), sum, bucketCounts: counts.map(String), explicitBounds: bounds };
};

/** What the conventions have a name for has it (HTTP, stable); all else is `postern.…`. */
const attributesOf = (labels: Readonly<Record<string, string>>, { paths, scheme }: Told): Attribute[] => {
  const { method, status, route, ...own } = labels;
  // Nobody was sent the 499 of a request whose client left.
  const code = labels.verdict === "left" ? undefined : Number(status) || undefined;
  return attributes({
    "http.request.method": method,
    "http.response.status_code": code,
    "http.route": route !== undefined && Object.hasOwn(paths, route) ? paths[route] : undefined,
    "url.scheme": method === undefined ? undefined : scheme,
    "error.type": code !== undefined && code >= 500 ? own.code || status : undefined,
    "postern.route": route,
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [`postern.${name}`, value])),
  });
};

const pieces = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / mostPoints) }, (_, index) =>
    all.slice(index * mostPoints, (index + 1) * mostPoints),
  );

/** Metrics put together as long as a message is not too long. */
const batches = (metrics: readonly Metric[]): Metric[][] => {
  const all: Metric[][] = [];
  let points = mostPoints;
  for (const it of metrics) {
    if (points + it.points > mostPoints) {
      all.push([]);
      points = 0;
    }
    all.at(-1)?.push(it);
    points += it.points;
  }
  return all;
};
