/** What the front counts of its own version, so that its releases are measured. */

import { type Bins, binOf, type Group, type Sample } from "../gateway/observability/samples.ts";

/** The name of the front in control, where others are named by their tier. No tier has this name. */
export const frontName = "front";

/** The part of a report about the front's own version. */
export interface OwnReport {
  readonly version: string;
  /**
   * Requests that the front answered itself; gates count all others. The latency is that of all requests, from the request
   * to the response's headers.
   */
  readonly sample: Sample;
  /** All requests by class of the status: `2xx`. */
  readonly answers: readonly { readonly status: string; readonly count: number; readonly latency: Bins }[];
}

/** The first requests of an isolate are slower. */
const coldRequests = 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CountingGroup = Mutable<Omit<Group, "latency">> & { readonly latency: Map<number, number> };
interface CountingAnswers {
  count: number;
  readonly latency: Map<number, number>;
}

export const ownCounts = (version: string) => {
  let requests = 0;
  let cold = 0;
  let groups = new Map<number, CountingGroup>();
  /** By the first digit of the status. */
  let answers = new Map<number, CountingAnswers>();
  return {
    /** @param byFront whether the front answered itself */
    add: (groupNumber: number, status: number, byFront: boolean, ms: number): void => {
      const bin = binOf(ms);
      const isCold = requests++ < coldRequests;
      if (isCold) cold++;
      addAnswer(answers, Math.floor(status / 100), bin);
      if (!byFront && (isCold || status >= 400)) return;
      const group = groups.get(groupNumber) ?? newGroup();
      groups.set(groupNumber, group);
      if (!byFront) {
        addBin(group.latency, bin);
        return;
      }
      group.requests++;
      if (status >= 500) group.errors++;
      else group.refusals++;
    },
    /** Returns the counts and starts again from zero. */
    take: (): OwnReport => {
      const report: OwnReport = {
        version,
        sample: {
          groups: Object.fromEntries([...groups].map(([key, it]) => [key, { ...it, latency: sorted(it.latency) }])),
          cold,
        },
        answers: [...answers].map(([digit, { count, latency }]) => ({
          status: `${digit}xx`,
          count,
          latency: sorted(latency),
        })),
      };
      cold = 0;
      groups = new Map();
      answers = new Map();
      return report;
    },
  };
};

const newGroup = (): CountingGroup => ({
  requests: 0,
  errors: 0,
  refusals: 0,
  upstreamErrors: 0,
  abandoned: 0,
  latency: new Map(),
});

const addAnswer = (answers: Map<number, CountingAnswers>, digit: number, bin: number): void => {
  const known = answers.get(digit) ?? { count: 0, latency: new Map() };
  answers.set(digit, known);
  known.count++;
  addBin(known.latency, bin);
};

const addBin = (bins: Map<number, number>, bin: number): void => void bins.set(bin, (bins.get(bin) ?? 0) + 1);

const sorted = (bins: Map<number, number>): Bins => [...bins].toSorted(([a], [b]) => a - b);
