/** Converts a tier's counts into OTLP metrics. They are cumulative, so that a lost push loses no counts. */
import type { Bins } from "../../../gateway/observability/samples.ts";
import { bounds, histogram } from "../../telemetry/counts/histogram.ts";
import type { Instrument, Point } from "../../telemetry/instruments.ts";
import { type Attribute, attributes, nanos, resource, type ServiceIdentity, scope } from "./json.ts";

/** What a message contains besides the counts. */
export interface MetricsContext extends Omit<ServiceIdentity, "version"> {
  /** Path templates by route: `/wallet/v1/accounts/{id}`. */
  readonly paths: Readonly<Record<string, string>>;
  readonly scheme: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Data points per message. */
const maxPoints = 2000;

/**
 * ExportMetricsServiceRequests, each with the number of its data points.
 * @param versions the versions to export; others have reported nothing for long
 */
export const metricsOf = (
  instruments: readonly Instrument[],
  context: MetricsContext,
  versions: ReadonlySet<string>,
): { readonly message: object; readonly points: number }[] =>
  [...versions].flatMap((version) => {
    const metrics = instruments.flatMap((it) => metricsIn(it, version, context));
    return batches(metrics).map((batch) => ({
      message: {
        resourceMetrics: [
          {
            resource: resource({ ...context, version }),
            scopeMetrics: [{ scope, metrics: batch.map(({ metric }) => metric) }],
          },
        ],
      },
      points: batch.reduce((sum, { points }) => sum + points, 0),
    }));
  });

interface Metric {
  readonly metric: object;
  readonly points: number;
}

const cumulative = 2;

/** One metric, in several pieces if it has many points. */
const metricsIn = (it: Instrument, version: string, context: MetricsContext): Metric[] => {
  const descriptor = { name: it.name, unit: it.unit, description: it.help };
  if (it.kind !== "histogram")
    return chunks(it.points.filter((point) => point.version === version)).map((piece) => {
      const dataPoints = piece.map((point) => ({
        ...pointFields(point, context),
        ...numberValue(point.value, it.unit),
      }));
      const sum = { aggregationTemporality: cumulative, isMonotonic: true, dataPoints };
      return {
        metric: { ...descriptor, ...(it.kind === "sum" ? { sum } : { gauge: { dataPoints } }) },
        points: piece.length,
      };
    });
  return chunks(it.points.filter((point) => point.version === version)).map((piece) => ({
    metric: {
      ...descriptor,
      histogram: {
        aggregationTemporality: cumulative,
        dataPoints: piece.map((point) => ({ ...pointFields(point, context), ...distribution(point.value) })),
      },
    },
    points: piece.length,
  }));
};

const pointFields = ({ labels, since }: Point<unknown>, context: MetricsContext) => ({
  attributes: attributesOf(labels, context),
  startTimeUnixNano: nanos(since),
  timeUnixNano: nanos(context.now),
});

/** A metric's numbers always have the same type. */
const numberValue = (value: number, unit: Instrument["unit"]) =>
  unit === "s" || unit === "1" ? { asDouble: value } : { asInt: String(Math.round(value)) };

const distribution = (bins: Bins) => {
  const { counts, count, sum } = histogram(bins);
  return { count: String(count), sum, bucketCounts: counts.map(String), explicitBounds: bounds };
};

/** Names follow the semantic conventions (HTTP, stable); attributes that they do not define are `postern.…`. */
const attributesOf = (labels: Readonly<Record<string, string>>, { paths, scheme }: MetricsContext): Attribute[] => {
  const { method, status, route, ...custom } = labels;
  // 499 is internal: the client disconnected and received no status.
  const code = labels.verdict === "left" ? undefined : Number(status) || undefined;
  return attributes({
    "http.request.method": method,
    "http.response.status_code": code,
    "http.route": route !== undefined && Object.hasOwn(paths, route) ? paths[route] : undefined,
    "url.scheme": method === undefined ? undefined : scheme,
    "error.type": code !== undefined && code >= 500 ? custom.code || status : undefined,
    "postern.route": route,
    ...Object.fromEntries(Object.entries(custom).map(([name, value]) => [`postern.${name}`, value])),
  });
};

const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / maxPoints) }, (_, index) =>
    all.slice(index * maxPoints, (index + 1) * maxPoints),
  );

/** Groups metrics into messages of bounded size. */
const batches = (metrics: readonly Metric[]): Metric[][] => {
  const all: Metric[][] = [];
  let points = maxPoints;
  for (const it of metrics) {
    if (points + it.points > maxPoints) {
      all.push([]);
      points = 0;
    }
    all.at(-1)?.push(it);
    points += it.points;
  }
  return all;
};
