/** Counts a gate's requests by outcome and reports them to control in the background. Per isolate. */
import type { Context, Deps, Outcome, RecordBodyFailure, RecordRequest, RecordStreamEnd } from "../core/types.ts";
import { type ClusterCounts, clusterCounts, fromLabel, labelOf, unmeasured, withoutBin } from "./cells.ts";
import { type ClusterOf, clusterOf as dealtClusterOf } from "./clusters.ts";
import { countFront, type FrontTallies, frontCounts } from "./front-counts.ts";
import type { BrokenBodies, Cell, EndedStreams, FailedBodies, Mark, Report, Series } from "./report.ts";
import { addToBin, binOf, withBins } from "./samples.ts";

/** After the first unreported request. */
const flushMs = 2000;
/** Beyond this, requests are counted by what became of them alone, as the route `other`. */
const maxSeries = 500;
/** `maxSeries`, and those of the route `other`: five verdicts, five classes of statuses, with `internal` apart. */
const maxSeriesWithOverflow = maxSeries + 50;
/** The first requests of an isolate are slower. */
const coldRequests = 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CountingSeries = Mutable<Omit<Series, "latency">> & {
  readonly index: number;
  readonly latency: Map<number, number>;
};

export interface ReportSink {
  /** @throws when the report is not delivered in time */
  readonly send: (report: Report) => Promise<void>;
  /** Keeps the work running after the response. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** Records a gate's requests, the streams that it ended, and bodies of services that failed. */
export interface GateRecorder {
  readonly recordRequest: RecordRequest;
  readonly recordStreamEnd: RecordStreamEnd;
  readonly recordBodyFailure: RecordBodyFailure;
}

/** @param clusterOf default: of requests to a version that the platform chose */
export type Telemetry = (
  tier: string,
  deps: Pick<Deps, "now" | "sleep" | "version">,
  sink: ReportSink,
  clusterOf?: ClusterOf,
) => GateRecorder;

/** Counts since the last report. */
interface Tallies {
  readonly clusters: ClusterCounts;
  readonly series: Map<string, CountingSeries>;
  readonly marks: Map<string, Mutable<Mark>>;
  readonly streams: Map<string, Mutable<EndedStreams>>;
  readonly bodies: Map<string, Mutable<FailedBodies>>;
  /** By version of the front. */
  readonly fronts: FrontTallies;
  cold: number;
}

const newTallies = (): Tallies => ({
  clusters: clusterCounts(brokenBody + 1, withoutBin),
  series: new Map(),
  marks: new Map(),
  streams: new Map(),
  bodies: new Map(),
  fronts: new Map(),
  cold: 0,
});

export const telemetry: Telemetry = (tier, deps, sink, clusterOf = dealtClusterOf) => {
  let requests = 0;
  let lost = 0;
  let pending = false;
  let tallies = newTallies();

  const flush = async () => {
    await deps.sleep(flushMs);
    const report: Report = { tier, version: deps.version, ...reported(tallies), lost };
    pending = false;
    tallies = newTallies();
    try {
      await sink.send(report);
      lost = 0;
    } catch {
      lost += 1;
    }
  };

  const scheduleFlush = () => {
    if (pending) return;
    pending = true;
    sink.defer(flush());
  };

  const recordRequest: RecordRequest = (request, response, status, context, started) => {
    // Testers are not counted, so that their failed requests do not fail a release.
    if (context.caller.tester) return;
    const { outcome } = context;
    const ms = deps.now() - started;
    const isCold = requests++ < coldRequests;
    if (isCold) tallies.cold++;
    const bin = binOf(ms);
    const cluster = clusterOf(context);
    countFront(tallies.fronts, started, cluster, status, context);
    const route = context.route.name;
    const series = seriesOf(tallies.series, route, request.method, status, outcome);
    series.count++;
    series.upstreamMs += outcome.upstreamMs ?? 0;
    series.bytesIn += contentLength(request.headers);
    series.bytesOut += response ? contentLength(response.headers) : 0;
    addToBin(series.latency, bin);
    tallies.clusters.add(started, cluster, labelOf(series.index, isCold ? unmeasured : bin));
    for (const id in outcome.shadow) addMark(tallies.marks, "shadow", route, id, outcome.shadow[id] as string);
    for (const id of outcome.degraded ?? []) addMark(tallies.marks, "degraded", route, id, "");
    scheduleFlush();
  };

  const recordStreamEnd: RecordStreamEnd = (route, how, kind) => {
    addStreamEnd(tallies.streams, { route, how, kind });
    scheduleFlush();
  };

  const recordBodyFailure: RecordBodyFailure = (context, how, status) => {
    if (context.caller.tester) return;
    // The request is counted already, with its status, and fails once.
    if (status < 500) tallies.clusters.add(context.started, clusterOf(context), brokenBody);
    addBodyFailure(tallies.bodies, context, how);
    scheduleFlush();
  };

  return { recordRequest, recordStreamEnd, recordBodyFailure };
};

const addStreamEnd = (all: Map<string, Mutable<EndedStreams>>, end: Omit<EndedStreams, "count">): void => {
  const key = Object.values(end).join("\n");
  const known = all.get(key);
  if (known) known.count++;
  else all.set(key, { ...end, count: 1 });
};

const addBodyFailure = (
  bodies: Tallies["bodies"],
  { route, outcome: { upstream = "" } }: Context,
  how: FailedBodies["how"],
): void => {
  // Routes and upstreams are those of the plan, so this is bounded.
  const key = [route.name, upstream, how].join("\n");
  const known = bodies.get(key);
  if (known) known.count++;
  else if (bodies.size < maxSeries) bodies.set(key, { route: route.name, upstream, how, count: 1 });
};

/** The label of a response whose body failed. Others are of a series and a bin. */
const brokenBody = labelOf(maxSeriesWithOverflow, unmeasured);

type Counts = Omit<Report, "tier" | "version" | "causes" | "lost">;

const reported = (it: Tallies): Counts => ({
  sample: { groups: {}, cold: it.cold },
  series: [...it.series.values()].map(({ index: _, ...series }) => withBins(series)),
  cells: it.clusters.cells((label, cluster, count): Cell | undefined => {
    if (label === brokenBody) return undefined;
    const [series, bin] = fromLabel(label);
    return [series, cluster, bin, count];
  }),
  every: it.clusters.every(),
  marks: [...it.marks.values()],
  streams: [...it.streams.values()],
  bodies: [...it.bodies.values()],
  brokenBodies: brokenBodiesOf(it.clusters),
  fronts: frontCounts(it.fronts),
});

const brokenBodiesOf = (clusters: ClusterCounts): BrokenBodies[] =>
  clusters
    .cells((label, cluster, count) => (label === brokenBody ? { cluster, count } : undefined))
    .flatMap(({ at, cells }) => cells.map((it) => ({ at, ...it })));

const methods: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const seriesOf = (
  all: Map<string, CountingSeries>,
  route: string,
  requestMethod: string,
  status: number,
  { verdict, by = "", code = "", upstream = "" }: Outcome,
): CountingSeries => {
  const method = methods.includes(requestMethod) ? requestMethod : "_OTHER";
  const key = [route, method, status, verdict, by, code, upstream].join("\n");
  const known = all.get(key);
  if (known) return known;
  const id = { route, method, status: String(status), verdict, by, code, upstream };
  if (all.size < maxSeries) return addSeries(all, key, id);
  const overflow = overflowOf(status, verdict, code);
  const overflowKey = Object.values(overflow).join("\n");
  return all.get(overflowKey) ?? addSeries(all, overflowKey, overflow);
};

/** Keeps what a rollout is judged by. */
const overflowOf = (status: number, verdict: Outcome["verdict"], code: string) => ({
  ...{ route: "other", method: "", verdict, by: "", upstream: "" },
  status: `${Math.floor(status / 100)}xx`,
  code: code === "internal" ? code : "",
});

const addSeries = (
  all: Map<string, CountingSeries>,
  key: string,
  id: Pick<Series, "route" | "method" | "status" | "verdict" | "by" | "code" | "upstream">,
): CountingSeries => {
  const it = { ...id, index: all.size, count: 0, latency: new Map(), upstreamMs: 0, bytesIn: 0, bytesOut: 0 };
  all.set(key, it);
  return it;
};

const addMark = (
  all: Map<string, Mutable<Mark>>,
  kind: Mark["kind"],
  route: string,
  filter: string,
  decision: string,
): void => {
  const key = [kind, route, filter, decision].join("\n");
  const known = all.get(key);
  if (known) known.count++;
  else if (all.size < maxSeries) all.set(key, { kind, route, filter, decision, count: 1 });
};

const contentLength = (headers: Headers): number => Number(headers.get("content-length") ?? 0) || 0;
