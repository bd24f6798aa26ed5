/** Counts a gate's requests by outcome and reports them to control in the background. Per isolate. */
import { hashPosition, userKeyOf } from "../core/pipeline.ts";
import type { Context, Deps, Outcome, RecordBodyFailure, RecordRequest, RecordStreamEnd } from "../core/types.ts";
import {
  type CountingGroup,
  countFront,
  countOutcome,
  type FrontTallies,
  frontCounts,
  groupOf,
} from "./outcome-counts.ts";
import type { EndedStreams, FailedBodies, Mark, Report, Series } from "./report.ts";
import { addLatency, groups, withBins } from "./samples.ts";

/** After the first unreported request. */
const flushMs = 2000;
/** Beyond this, requests are counted in one series, as the route `other`. */
const maxSeries = 500;
/** The first requests of an isolate are slower. */
const coldRequests = 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CountingSeries = Mutable<Omit<Series, "latency">> & { readonly latency: Map<number, number> };

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

export type Telemetry = (tier: string, deps: Pick<Deps, "now" | "sleep" | "version">, sink: ReportSink) => GateRecorder;

/** Counts since the last report. */
interface Tallies {
  readonly groups: Map<number, CountingGroup>;
  readonly series: Map<string, CountingSeries>;
  readonly marks: Map<string, Mutable<Mark>>;
  readonly streams: Map<string, Mutable<EndedStreams>>;
  readonly bodies: Map<string, Mutable<FailedBodies>>;
  /** By version of the front. */
  readonly fronts: FrontTallies;
  cold: number;
}

const newTallies = (): Tallies => ({
  groups: new Map(),
  series: new Map(),
  marks: new Map(),
  streams: new Map(),
  bodies: new Map(),
  fronts: new Map(),
  cold: 0,
});

export const telemetry: Telemetry = (tier, deps, sink) => {
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
    const passed = status < 400 && (outcome.verdict === "passed" || outcome.verdict === "answered");
    const number = groupNumber(context);
    const group = groupOf(tallies.groups, number);
    countOutcome(group, status, outcome);
    const { frontVersion } = context.caller;
    if (frontVersion !== undefined) countFront(tallies.fronts, frontVersion, number, status, outcome);
    const route = context.route.name;
    const series = seriesOf(tallies.series, route, request.method, status, outcome);
    series.count++;
    series.upstreamMs += outcome.upstreamMs ?? 0;
    series.bytesIn += contentLength(request.headers);
    series.bytesOut += response ? contentLength(response.headers) : 0;
    addLatency(series.latency, ms);
    if (passed && !isCold) addLatency(group.latency, ms);
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
    addBodyFailure(tallies, context, how, status);
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

/** The request is counted already, with its status, and fails once. */
const addBodyFailure = (
  { groups: all, bodies }: Tallies,
  context: Context,
  how: FailedBodies["how"],
  status: number,
): void => {
  if (status < 500) {
    const group = groupOf(all, groupNumber(context));
    group.errors++;
    group.upstreamErrors++;
  }
  const { route, outcome } = context;
  const { upstream = "" } = outcome;
  // Routes and upstreams are those of the plan, so this is bounded.
  const key = [route.name, upstream, how].join("\n");
  const known = bodies.get(key);
  if (known) known.count++;
  else if (bodies.size < maxSeries) bodies.set(key, { route: route.name, upstream, how, count: 1 });
};

const groupNumber = (context: Context): number => Math.floor(hashPosition(userKeyOf(context) ?? "") * groups);

const reported = (it: Tallies): Pick<Report, "sample" | "series" | "marks" | "streams" | "bodies" | "fronts"> => ({
  sample: { groups: Object.fromEntries([...it.groups].map(([key, group]) => [key, withBins(group)])), cold: it.cold },
  series: [...it.series.values()].map(withBins),
  marks: [...it.marks.values()],
  streams: [...it.streams.values()],
  bodies: [...it.bodies.values()],
  fronts: frontCounts(it.fronts),
});

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
  return all.get(overflowKey) ?? addSeries(all, overflowKey, overflowLabels);
};

const overflowKey = "other";
const overflowLabels = {
  route: overflowKey,
  method: "",
  status: "",
  verdict: "passed",
  by: "",
  code: "",
  upstream: "",
} as const;

const addSeries = (
  all: Map<string, CountingSeries>,
  key: string,
  id: Pick<Series, keyof typeof overflowLabels>,
): CountingSeries => {
  const it = { ...id, count: 0, latency: new Map(), upstreamMs: 0, bytesIn: 0, bytesOut: 0 };
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
