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

/** Entries of each kind. */
const maxKeys = 2000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const tailCounts = () => {
  let cpu = new Map<string, Mutable<CpuCount>>();
  let deaths = new Map<string, Mutable<DeathCount>>();
  let faults = new Map<string, Mutable<FaultCount>>();
  let spans = new Map<string, { taken: number; failed: number; lost: number }>();
  return {
    add: ({ worker, version, line, cpuMs, faults: lines, died, outcome }: TailEvent): void => {
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
      };
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
