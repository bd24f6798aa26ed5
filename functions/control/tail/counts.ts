/** The tail's counts between two reports: CPU, deaths, fault lines and spans. Bounded. */
import type { TailEvent } from "./events.ts";

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

/** Requests of one version of the front, by their statuses. Those that died are errors. */
export interface FrontStatuses {
  readonly version: string;
  readonly requests: number;
  readonly errors: number;
  readonly refusals: number;
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
  readonly fronts: readonly FrontStatuses[];
}

/** Entries of each kind. */
const maxKeys = 2000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param front the front's Worker */
export const tailCounts = (front: string) => {
  let cpu = new Map<string, Mutable<CpuCount>>();
  let deaths = new Map<string, Mutable<DeathCount>>();
  let faults = new Map<string, Mutable<FaultCount>>();
  let spans = new Map<string, { taken: number; failed: number; lost: number }>();
  let fronts = new Map<string, Mutable<FrontStatuses>>();
  const addFront = ({ version, status, died }: TailEvent): void => {
    const known = entryOf(fronts, [version], { version, requests: 0, errors: 0, refusals: 0 });
    if (!known) return;
    known.requests++;
    if (died || status >= 500) known.errors++;
    else if (status >= 400) known.refusals++;
  };
  return {
    add: (event: TailEvent): void => {
      const { worker, version, line, cpuMs, faults: lines, died, outcome } = event;
      if (worker === front) addFront(event);
      const entry = { worker, tier: line?.tier ?? "", version, route: line?.route ?? "", requests: 0, cpuMs: 0 };
      const known = entryOf(cpu, [worker, entry.tier, version, entry.route], entry);
      if (known && line) known.requests++;
      if (known) known.cpuMs += cpuMs;
      for (const { tier, code } of lines) {
        const fault = entryOf(faults, [tier, version, code], { tier, version, code, count: 0 });
        if (fault) fault.count++;
      }
      if (!died) return;
      const death = entryOf(deaths, [worker, version, outcome], { worker, version, outcome, count: 0 });
      if (death) death.count++;
    },
    addSpans: (what: "taken" | "failed" | "lost", tiers: Iterable<string>): void => {
      for (const tier of tiers) {
        const counts = spans.get(tier) ?? { taken: 0, failed: 0, lost: 0 };
        spans.set(tier, counts);
        counts[what]++;
      }
    },
    /** Returns the counts and starts again from zero. */
    takeReport: (): TailReport => {
      const report: TailReport = {
        cpu: [...cpu.values()],
        deaths: [...deaths.values()],
        faults: [...faults.values()],
        spans: [...spans].map(([tier, counts]) => ({ tier, ...counts })),
        fronts: [...fronts.values()],
      };
      fronts = new Map();
      cpu = new Map();
      deaths = new Map();
      faults = new Map();
      spans = new Map();
      return report;
    },
  };
};

/** The entry of a key; undefined if there are too many. */
const entryOf = <T>(all: Map<string, T>, key: readonly string[], fresh: T): T | undefined => {
  const text = key.join("\n");
  const known = all.get(text);
  if (known || all.size >= maxKeys) return known;
  all.set(text, fresh);
  return fresh;
};
