/** Counts a gate's requests by outcome and reports them to control in the background. Per isolate. */
import { hashPosition, userKeyOf } from "../core/pipeline.ts";
import type { Deps, Outcome, RecordRequest, StreamEnd } from "../core/types.ts";
import {
  type CountingGroup,
  countFront,
  countOutcome,
  type FrontCounts,
  type FrontTallies,
  frontCounts,
  groupOf,
} from "./outcome-counts.ts";
import { type Bins, binOf, groups, type Sample } from "./samples.ts";

/** Requests of one route with the same outcome. */
export interface Series {
  readonly route: string;
  /** A standard method, or `_OTHER`. */
  readonly method: string;
  /** `200`; empty in the overflow series. */
  readonly status: string;
  readonly verdict: Outcome["verdict"];
  readonly by: string;
  readonly code: string;
  /** The upstream that was called last; empty when there was none. */
  readonly upstream: string;
  readonly count: number;
  /** From the request to the response headers, or until the client disconnected. */
  readonly latency: Bins;
  /** Sums. */
  readonly upstreamMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Events of requests besides their outcome. */
export interface Mark {
  /**
   * `shadow`: a decision of a shadowed filter. `degraded`: a filter's store was unavailable and `on-failure` applied.
   */
  readonly kind: "shadow" | "degraded";
  readonly route: string;
  readonly filter: string;
  /** The would-be problem code, or `pass`. */
  readonly decision: string;
  readonly count: number;
}

/** Streams that the gate ended. */
export interface EndedStreams {
  readonly route: string;
  readonly how: StreamEnd;
  readonly count: number;
}

/** An isolate's report, version 1 of the format. It holds no path, query, header or key. */
export interface Report {
  readonly tier: string;
  readonly version: string;
  readonly sample: Sample;
  readonly series: readonly Series[];
  readonly marks: readonly Mark[];
  readonly streams: readonly EndedStreams[];
  readonly fronts: readonly FrontCounts[];
  /** Earlier reports that could not be delivered. */
  readonly lost: number;
}

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

/** Records a gate's requests and the streams that it ended. */
export interface GateRecorder {
  readonly recordRequest: RecordRequest;
  readonly recordStreamEnd: (route: string, how: StreamEnd) => void;
}

export type Telemetry = (tier: string, deps: Pick<Deps, "now" | "sleep" | "version">, sink: ReportSink) => GateRecorder;

/** Counts since the last report. */
interface Tallies {
  readonly groups: Map<number, CountingGroup>;
  readonly series: Map<string, CountingSeries>;
  readonly marks: Map<string, Mutable<Mark>>;
  readonly streams: Map<string, Mutable<EndedStreams>>;
  /** By version of the front. */
  readonly fronts: FrontTallies;
  cold: number;
}

const newTallies = (): Tallies => ({
  groups: new Map(),
  series: new Map(),
  marks: new Map(),
  streams: new Map(),
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
    const groupNumber = Math.floor(hashPosition(userKeyOf(context) ?? "") * groups);
    const group = groupOf(tallies.groups, groupNumber);
    countOutcome(group, status, outcome);
    const { frontVersion } = context.caller;
    if (frontVersion !== undefined) countFront(tallies.fronts, frontVersion, groupNumber, status, outcome);
    const route = context.route.name;
    const series = seriesOf(tallies.series, route, request.method, status, outcome);
    series.count++;
    series.upstreamMs += outcome.upstreamMs ?? 0;
    series.bytesIn += contentLength(request.headers);
    series.bytesOut += response ? contentLength(response.headers) : 0;
    add(series.latency, ms);
    if (passed && !isCold) add(group.latency, ms);
    for (const id in outcome.shadow) addMark(tallies.marks, "shadow", route, id, outcome.shadow[id] as string);
    for (const id of outcome.degraded ?? []) addMark(tallies.marks, "degraded", route, id, "");
    scheduleFlush();
  };

  const recordStreamEnd: GateRecorder["recordStreamEnd"] = (route, how) => {
    const key = `${how}\n${route}`;
    const known = tallies.streams.get(key);
    if (known) known.count++;
    else tallies.streams.set(key, { route, how, count: 1 });
    scheduleFlush();
  };

  return { recordRequest, recordStreamEnd };
};

const reported = (it: Tallies): Pick<Report, "sample" | "series" | "marks" | "streams" | "fronts"> => ({
  sample: { groups: Object.fromEntries([...it.groups].map(([key, group]) => [key, withBins(group)])), cold: it.cold },
  series: [...it.series.values()].map(withBins),
  marks: [...it.marks.values()],
  streams: [...it.streams.values()],
  fronts: frontCounts(it.fronts),
});

const add = (bins: Map<number, number>, ms: number): void => {
  const bin = binOf(ms);
  bins.set(bin, (bins.get(bin) ?? 0) + 1);
};

const withBins = <T extends { readonly latency: Map<number, number> }>(
  it: T,
): Omit<T, "latency"> & { latency: Bins } => ({
  ...it,
  latency: [...it.latency].toSorted(([a], [b]) => a - b),
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
