/** What the front counts of its own version, so that its releases are measured. */

import { type CountingGroup, groupOf } from "../gateway/observability/outcome-counts.ts";
import { addLatency, type Bins, type Sample, withBins } from "../gateway/observability/samples.ts";

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
      const isCold = requests++ < coldRequests;
      if (isCold) cold++;
      addAnswer(answers, Math.floor(status / 100), ms);
      if (!byFront && (isCold || status >= 400)) return;
      const group = groupOf(groups, groupNumber);
      if (!byFront) {
        addLatency(group.latency, ms);
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
          groups: Object.fromEntries([...groups].map(([key, it]) => [key, withBins(it)])),
          cold,
        },
        answers: [...answers].map(([digit, it]) => ({ status: `${digit}xx`, ...withBins(it) })),
      };
      cold = 0;
      groups = new Map();
      answers = new Map();
      return report;
    },
  };
};

const addAnswer = (answers: Map<number, CountingAnswers>, digit: number, ms: number): void => {
  const known = answers.get(digit) ?? { count: 0, latency: new Map() };
  answers.set(digit, known);
  known.count++;
  addLatency(known.latency, ms);
};
