/** Collects tail events of gates and reports them to control and to the collector in intervals. Per isolate, bounded. */
import { type Collector, push } from "../exporters/otlp/push.ts";
import { type TailEvent, tailEventOf } from "./events.ts";
import { type Span, spanOf, type TailContext, tracesOf } from "./spans.ts";

/** CPU of one route; the route is empty for requests without an access line. */
export interface CpuCount {
  readonly worker: string;
  readonly tier: string;
  readonly version: string;
  readonly route: string;
  readonly requests: number;
  readonly cpuMs: number;
}

export interface DeathCount {
  readonly worker: string;
  readonly version: string;
  readonly outcome: string;
  readonly count: number;
}

export interface FaultCount {
  readonly tier: string;
  readonly version: string;
  readonly code: string;
  readonly count: number;
}

/** The tail's report to control, version 1. */
export interface TailReport {
  readonly cpu: readonly CpuCount[];
  readonly deaths: readonly DeathCount[];
  readonly faults: readonly FaultCount[];
  /** By tier: pushes with its spans, and lost spans. */
  readonly spans: readonly {
    readonly tier: string;
    readonly taken: number;
    readonly failed: number;
    readonly lost: number;
  }[];
}

export interface TailPorts {
  /** @throws if control does not answer in time */
  readonly report: (report: TailReport) => Promise<void>;
  readonly collector: Collector | null;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly log: (line: object) => void;
}

/** Delay after the first event that is not reported yet. */
const flushMs = 1000;
const maxKeys = 2000;
/** Bound of waiting spans: the oldest are dropped and counted. */
const maxSpans = 2000;
const maxSpansPerPush = 500;
const maxWaitMs = 60_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @returns takes events, and resolves when they are reported or lost */
export const tailCollector = (context: TailContext) => {
  let cpu = new Map<string, Mutable<CpuCount>>();
  let deaths = new Map<string, Mutable<DeathCount>>();
  let faults = new Map<string, Mutable<FaultCount>>();
  let spanCounts = new Map<string, { taken: number; failed: number; lost: number }>();
  let spans: Span[] = [];
  let isFlushPending = false;
  let failures = 0;
  let notBefore = 0;

  const spanCountsOf = (tier: string) => {
    const counts = spanCounts.get(tier) ?? { taken: 0, failed: 0, lost: 0 };
    spanCounts.set(tier, counts);
    return counts;
  };
  const countLost = (batch: readonly Span[]): void => {
    for (const { tier } of batch) spanCountsOf(tier).lost++;
  };

  const count = (it: TailEvent): void => {
    const { worker, version, line } = it;
    const entry = { worker, tier: line?.tier ?? "", version, route: line?.route ?? "", requests: 0, cpuMs: 0 };
    const known = entryOf(cpu, [worker, entry.tier, version, entry.route], entry);
    if (known && line) known.requests++;
    if (known) known.cpuMs += it.cpuMs;
    for (const { tier, code } of it.faults) {
      const fault = entryOf(faults, [tier, version, code], { tier, version, code, count: 0 });
      if (fault) fault.count++;
    }
    if (it.died) {
      const death = entryOf(deaths, [worker, version, it.outcome], { worker, version, outcome: it.outcome, count: 0 });
      if (death) death.count++;
    }
  };

  const record = (it: TailEvent, traced: boolean): void => {
    // A tester's requests do not count: they must not fail the release.
    if (!it.tester) count(it);
    const span = traced ? spanOf(it, context) : undefined;
    if (span) spans.push(span);
    if (spans.length > maxSpans) countLost(spans.splice(0, spans.length - maxSpans));
  };

  const pushAll = async ({ collector, now, log }: TailPorts): Promise<void> => {
    while (collector && spans.length > 0 && now() >= notBefore) {
      const batch = spans.splice(0, maxSpansPerPush);
      const tiers = new Set(batch.map(({ tier }) => tier));
      const result = await push("traces", tracesOf(batch, context.environment), collector);
      for (const tier of tiers) spanCountsOf(tier)[result.ok ? "taken" : "failed"]++;
      if (result.ok) {
        failures = 0;
        // The collector does not say whose spans it rejected.
        countLost(batch.slice(0, result.rejected));
        continue;
      }
      failures++;
      notBefore = now() + Math.max(result.afterMs, Math.min(maxWaitMs, flushMs * 2 ** failures));
      log({ type: "fault", cause: `spans were not pushed: ${result.why}` });
      if (result.retryable) spans = [...batch, ...spans].slice(-maxSpans);
      else countLost(batch);
    }
  };

  const flush = async (ports: TailPorts): Promise<void> => {
    await ports.sleep(flushMs);
    isFlushPending = false;
    await pushAll(ports);
    const report: TailReport = {
      cpu: [...cpu.values()],
      deaths: [...deaths.values()],
      faults: [...faults.values()],
      spans: [...spanCounts].map(([tier, counts]) => ({ tier, ...counts })),
    };
    cpu = new Map();
    deaths = new Map();
    faults = new Map();
    spanCounts = new Map();
    await ports
      .report(report)
      .catch((error: Error) => ports.log({ type: "fault", cause: `control: ${error.message}` }));
  };

  return async (events: readonly TraceItem[], ports: TailPorts): Promise<void> => {
    for (const event of events) record(withoutForeignLines(tailEventOf(event), context), ports.collector !== null);
    if (isFlushPending) return;
    isFlushPending = true;
    await flush(ports);
  };
};

/** Drops lines for tiers that the gate does not serve. The runtime names the gate; only the line itself names its tier. */
const withoutForeignLines = (it: TailEvent, { workers }: TailContext): TailEvent => {
  const tiers = Object.hasOwn(workers, it.worker) ? (workers[it.worker] ?? []) : [];
  const isOwn = ({ tier }: { readonly tier: string }) => tiers.includes(tier);
  const faults = it.faults.filter(isOwn);
  const line = it.line && isOwn(it.line) ? it.line : undefined;
  const [tier] = tiers;
  const foreign = faults.length < it.faults.length || line !== it.line;
  if (foreign && tier !== undefined) faults.push({ type: "fault", tier, code: "line-foreign" });
  return { ...it, line, faults };
};

/** The entry of a key; undefined if there are too many. */
const entryOf = <T>(all: Map<string, T>, key: readonly string[], fresh: T): T | undefined => {
  const text = key.join("\n");
  const known = all.get(text);
  if (known || all.size >= maxKeys) return known;
  all.set(text, fresh);
  return fresh;
};
