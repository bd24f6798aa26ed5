/** Gathers what is heard of gates, and tells control and the collector of it now and then. Per isolate, bounded. */
import { type Collector, push } from "../exporters/otlp/push.ts";
import { type Heard, heardOf } from "./events.ts";
import { type Span, type Surroundings, spanOf, tracesOf } from "./spans.ts";

/** CPU of one route; the route is empty where a request left no line. */
export interface Cpu {
  readonly worker: string;
  readonly tier: string;
  readonly version: string;
  readonly route: string;
  readonly requests: number;
  readonly cpuMs: number;
}

export interface Deaths {
  readonly worker: string;
  readonly version: string;
  readonly outcome: string;
  readonly count: number;
}

export interface Faults {
  readonly tier: string;
  readonly version: string;
  readonly code: string;
  readonly count: number;
}

/** Version 1 of what a tail tells. */
export interface TailReport {
  readonly cpu: readonly Cpu[];
  readonly deaths: readonly Deaths[];
  readonly faults: readonly Faults[];
  /** By tier: pushes that had spans of it, and spans that are lost. */
  readonly spans: readonly {
    readonly tier: string;
    readonly taken: number;
    readonly failed: number;
    readonly lost: number;
  }[];
}

export interface Ports {
  /** @throws where it reaches nobody in time */
  readonly tell: (report: TailReport) => Promise<void>;
  readonly collector: Collector | null;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: () => number;
  readonly log: (line: object) => void;
}

/** After the first event that nobody was told of. */
const flushMs = 1000;
const mostKeys = 2000;
/** More than these wait for nobody: the oldest are lost, and counted. */
const mostSpans = 2000;
const mostSpansAtOnce = 500;
const longestWaitMs = 60_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @returns takes events, and resolves when they have been told of, or are lost */
export const hearing = (around: Surroundings) => {
  let cpu = new Map<string, Mutable<Cpu>>();
  let deaths = new Map<string, Mutable<Deaths>>();
  let faults = new Map<string, Mutable<Faults>>();
  let fates = new Map<string, { taken: number; failed: number; lost: number }>();
  let spans: Span[] = [];
  let pending = false;
  let failures = 0;
  let notBefore = 0;

  const fateOf = (tier: string) => {
    const fate = fates.get(tier) ?? { taken: 0, failed: 0, lost: 0 };
    fates.set(tier, fate);
    return fate;
  };
  const lose = (some: readonly Span[]): void => {
    for (const { tier } of some) fateOf(tier).lost++;
  };

  const count = (it: Heard): void => {
    const { worker, version, line } = it;
    const entry = { worker, tier: line?.tier ?? "", version, route: line?.route ?? "", requests: 0, cpuMs: 0 };
    const known = at(cpu, [worker, entry.tier, version, entry.route], entry);
    if (known && line) known.requests++;
    if (known) known.cpuMs += it.cpuMs;
    for (const { tier, code } of it.faults) {
      const fault = at(faults, [tier, version, code], { tier, version, code, count: 0 });
      if (fault) fault.count++;
    }
    if (it.died) {
      const death = at(deaths, [worker, version, it.outcome], { worker, version, outcome: it.outcome, count: 0 });
      if (death) death.count++;
    }
  };

  const note = (it: Heard, traced: boolean): void => {
    // A tester is no user, and who tries what fails is not to fail the release.
    if (!it.tester) count(it);
    const span = traced ? spanOf(it, around) : undefined;
    if (span) spans.push(span);
    if (spans.length > mostSpans) lose(spans.splice(0, spans.length - mostSpans));
  };

  const pushAll = async ({ collector, now, log }: Ports): Promise<void> => {
    while (collector && spans.length > 0 && now() >= notBefore) {
      const some = spans.splice(0, mostSpansAtOnce);
      const tiers = new Set(some.map(({ tier }) => tier));
      const said = await push("traces", tracesOf(some, around.environment), collector);
      for (const tier of tiers) fateOf(tier)[said.ok ? "taken" : "failed"]++;
      if (said.ok) {
        failures = 0;
        // Nobody says whose they were.
        lose(some.slice(0, said.rejected));
        continue;
      }
      failures++;
      notBefore = now() + Math.max(said.afterMs, Math.min(longestWaitMs, flushMs * 2 ** failures));
      log({ type: "fault", cause: `spans were not pushed: ${said.why}` });
      if (said.again) spans = [...some, ...spans].slice(-mostSpans);
      else lose(some);
    }
  };

  const flush = async (ports: Ports): Promise<void> => {
    await ports.sleep(flushMs);
    pending = false;
    await pushAll(ports);
    const report: TailReport = {
      cpu: [...cpu.values()],
      deaths: [...deaths.values()],
      faults: [...faults.values()],
      spans: [...fates].map(([tier, fate]) => ({ tier, ...fate })),
    };
    cpu = new Map();
    deaths = new Map();
    faults = new Map();
    fates = new Map();
    await ports.tell(report).catch((error: Error) => ports.log({ type: "fault", cause: `control: ${error.message}` }));
  };

  return async (events: readonly TraceItem[], ports: Ports): Promise<void> => {
    for (const event of events) note(ownLines(heardOf(event), around), ports.collector !== null);
    if (pending) return;
    pending = true;
    await flush(ports);
  };
};

/** A gate's lines hold for the tiers that it serves. The runtime says which gate it is; of which tier a line is, only the line does. */
const ownLines = (it: Heard, { workers }: Surroundings): Heard => {
  const tiers = Object.hasOwn(workers, it.worker) ? (workers[it.worker] ?? []) : [];
  const isOwn = ({ tier }: { readonly tier: string }) => tiers.includes(tier);
  const faults = it.faults.filter(isOwn);
  const line = it.line && isOwn(it.line) ? it.line : undefined;
  const [tier] = tiers;
  const foreign = faults.length < it.faults.length || line !== it.line;
  if (foreign && tier !== undefined) faults.push({ type: "fault", tier, code: "line-foreign" });
  return { ...it, line, faults };
};

/** The entry of a key, or undefined where there are too many. */
const at = <T>(all: Map<string, T>, key: readonly string[], fresh: T): T | undefined => {
  const text = key.join("\n");
  const known = all.get(text);
  if (known || all.size >= mostKeys) return known;
  all.set(text, fresh);
  return fresh;
};
