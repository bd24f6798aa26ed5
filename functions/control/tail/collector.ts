/** Collects tail events of gates and the front and reports them to control and to the collector in intervals. Per isolate, bounded. */
import { type Collector, push } from "../exporters/otlp/push.ts";
import { type TailReport, tailCounts } from "./counts.ts";
import { type TailEvent, tailEventOf } from "./events.ts";
import { type Span, spanOf, type TailContext, tracesOf } from "./spans.ts";

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
/** Bound of waiting spans: the oldest are dropped and counted. */
const maxSpans = 2000;
const maxSpansPerPush = 500;
const maxWaitMs = 60_000;

/** @returns takes events, and resolves when they are reported or lost */
export const tailCollector = (context: TailContext) => {
  const counts = tailCounts(context.front);
  const spans = spanQueue(context, counts);
  let isFlushPending = false;
  return async (events: readonly TraceItem[], ports: TailPorts): Promise<void> => {
    for (const item of events) {
      const event = withoutForeignLines(tailEventOf(item, context.front), context);
      // A tester's requests do not count: they must not fail the release.
      if (!event.tester) counts.add(event);
      if (ports.collector) spans.add(event);
    }
    if (isFlushPending) return;
    isFlushPending = true;
    await ports.sleep(flushMs);
    isFlushPending = false;
    await spans.pushAll(ports);
    await ports
      .report(counts.takeReport())
      .catch((error: Error) => ports.log({ type: "fault", cause: `control: ${error.message}` }));
  };
};

/** Spans that wait for the collector. */
const spanQueue = (context: TailContext, counts: ReturnType<typeof tailCounts>) => {
  let spans: Span[] = [];
  let failures = 0;
  let notBefore = 0;
  const countLost = (lost: readonly Span[]): void =>
    counts.addSpans(
      "lost",
      lost.map(({ tier }) => tier),
    );
  return {
    add: (event: TailEvent): void => {
      const span = spanOf(event, context);
      if (span) spans.push(span);
      if (spans.length > maxSpans) countLost(spans.splice(0, spans.length - maxSpans));
    },
    pushAll: async ({ collector, now, log }: TailPorts): Promise<void> => {
      while (collector && spans.length > 0 && now() >= notBefore) {
        const batch = spans.splice(0, maxSpansPerPush);
        const tiers = new Set(batch.map(({ tier }) => tier));
        const result = await push("traces", tracesOf(batch, context.environment), collector);
        counts.addSpans(result.ok ? "taken" : "failed", tiers);
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
    },
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
