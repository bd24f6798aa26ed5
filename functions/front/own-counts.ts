/** What the front counts of its own version, so that its releases are measured. */

import {
  type CellsAt,
  clusterCounts,
  fromLabel,
  labelOf,
  unmeasured,
  withoutBin,
} from "../gateway/observability/cells.ts";
import { type FrontOutcome, frontOutcomeNumber, frontOutcomes } from "../gateway/observability/front-counts.ts";
import { addToBin, type Bins, binOf, type Sample, withBins } from "../gateway/observability/samples.ts";

/**
 * Requests of one cluster with the same outcome (a number of `frontOutcomes`) and latency. The bin is `unmeasured` for requests in a cold
 * isolate.
 */
export type OwnCell = readonly [outcome: number, cluster: number, bin: number, count: number];

/** The part of a report about the front's own version. */
export interface OwnReport {
  readonly version: string;
  /** Without groups: control of this release reads `cells`. An older one requires it. */
  readonly sample: Sample;
  /**
   * All requests, with the latency from the request to the response's headers. Those that a gate answered have outcomes of their own, since
   * gates count them.
   */
  readonly cells: readonly CellsAt<OwnCell>[];
  /** Of the clusters that `cells` counts: see `isCounted`. */
  readonly every: number;
  /** All requests by class of the status: `2xx`. */
  readonly answers: readonly { readonly status: string; readonly count: number; readonly latency: Bins }[];
}

/** The first requests of an isolate are slower. */
const coldRequests = 20;

interface CountingAnswers {
  count: number;
  readonly latency: Map<number, number>;
}

const newClusters = () => clusterCounts(labelOf(frontOutcomes.length, unmeasured), withoutBin);

export const ownCounts = (version: string) => {
  let requests = 0;
  let cold = 0;
  let clusters = newClusters();
  /** By the first digit of the status. */
  let answers = new Map<number, CountingAnswers>();
  return {
    /**
     * @param started milliseconds since the epoch
     * @param code of the front's own problem; empty if a gate answered
     */
    add: (started: number, cluster: number, status: number, code: string, ms: number): void => {
      const isCold = requests++ < coldRequests;
      if (isCold) cold++;
      const bin = binOf(ms);
      addAnswer(answers, Math.floor(status / 100), bin);
      const outcome = frontOutcomeNumber[outcomeOf(status, code)];
      clusters.add(started, cluster, labelOf(outcome, isCold ? unmeasured : bin));
    },
    /** Returns the counts and starts again from zero. */
    take: (): OwnReport => {
      const report: OwnReport = {
        version,
        sample: { groups: {}, cold },
        cells: clusters.cells((label, cluster, count): OwnCell => {
          const [outcome, bin] = fromLabel(label);
          return [outcome, cluster, bin, count];
        }),
        every: clusters.every(),
        answers: [...answers].map(([digit, it]) => ({ status: `${digit}xx`, ...withBins(it) })),
      };
      cold = 0;
      clusters = newClusters();
      answers = new Map();
      return report;
    },
  };
};

const outcomeOf = (status: number, code: string): FrontOutcome => {
  if (code === "") return status >= 500 ? "forwarded-failed" : "forwarded";
  if (code === "internal") return "fault";
  return status >= 500 ? "error" : "refused";
};

const addAnswer = (answers: Map<number, CountingAnswers>, digit: number, bin: number): void => {
  const known = answers.get(digit) ?? { count: 0, latency: new Map() };
  answers.set(digit, known);
  known.count++;
  addToBin(known.latency, bin);
};
