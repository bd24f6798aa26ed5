/**
 * Counts requests into the evidence of stages as control's store does: by version, start and cluster. Reports of abandoned
 * requests, and those that are late, arrive in a later interval, and count where their requests began.
 */

import { indexOf, measures } from "../../../functions/control/stats/measures.ts";
import type { StageEvidence } from "../../../functions/control/stats/stage-evidence.ts";
import { maxClusters } from "../../../functions/gateway/observability/clusters.ts";
import { intervalSeconds } from "./conditions.ts";
import { slowMeasures } from "./latency.ts";
import { abandoned, type Count, canarySide, clientError, error, fault, passed, refusal } from "./requests.ts";

/** Seconds until a client gives up. */
const clientTimeoutSeconds = 30;

/** An interval of a stage in which requests began. */
export interface Interval {
  readonly evidence: StageEvidence;
  /** Milliseconds since the stage began. */
  readonly at: number;
}

interface Delayed extends Interval {
  /** Seconds since the start of the rollout. */
  readonly due: number;
  /** Four numbers for each request. */
  readonly requests: number[];
}

export interface Counting {
  /** Begins an interval, so many seconds after the start of the rollout. */
  readonly begin: (interval: Interval, now: number) => void;
  readonly count: Count;
  /** Adds what has been reported until then. Returns the stages that it belongs to. */
  readonly report: (now: number) => ReadonlySet<StageEvidence>;
}

export const countingOf = (): Counting => {
  const counts = intervalCounts();
  let [current, began]: [Interval | undefined, number] = [undefined, 0];
  let waiting: Delayed[] = [];
  let opened: Delayed[] = [];
  const delay = (seconds: number, request: readonly [number, number, number, number]): void => {
    if (!current) return;
    const due = began + seconds;
    let to = opened.find((it) => it.due === due);
    if (!to) {
      to = { ...current, due, requests: [] };
      opened.push(to);
      waiting.push(to);
    }
    to.requests.push(...request);
  };
  return {
    begin: (interval, now) => {
      [current, began, opened] = [interval, now, []];
    },
    count: (side, cluster, outcome, slow, { late }) => {
      const seconds = late + (outcome === abandoned ? clientTimeoutSeconds : 0);
      if (seconds >= intervalSeconds) delay(seconds, [side, cluster, outcome, slow]);
      else counts.add(side, cluster, outcome, slow);
    },
    report: (now) => {
      const changed = new Set<StageEvidence>();
      const flush = ({ evidence, at }: Interval) => {
        counts.flush(evidence, at);
        changed.add(evidence);
      };
      if (current) flush(current);
      for (const it of waiting.filter(({ due }) => due < now)) {
        for (let index = 0; index < it.requests.length; index += 4) {
          const [side = 0, cluster = 0, outcome = 0, slow = 0] = it.requests.slice(index, index + 4);
          counts.add(side, cluster, outcome, slow);
        }
        flush(it);
      }
      waiting = waiting.filter(({ due }) => due >= now);
      return changed;
    },
  };
};

const slowIndices = slowMeasures.map((it) => indexOf[it]);

/** Counts of all clusters and both versions, which are empty again once they are flushed. */
const intervalCounts = () => {
  const size = measures.length;
  const counts = new Uint32Array(2 * maxClusters * size);
  const touched = new Uint32Array(2 * maxClusters);
  const one = new Float64Array(size);
  let length = 0;
  return {
    add: (side: number, cluster: number, outcome: number, slow: number): void => {
      const row = side * maxClusters + cluster;
      const from = row * size;
      const increase = (measure: number) => {
        counts[from + measure] = (counts[from + measure] as number) + 1;
      };
      if (counts[from] === 0) touched[length++] = row;
      increase(indexOf.requests);
      if (outcome === error || outcome === fault) increase(indexOf.errors);
      if (outcome === refusal) increase(indexOf.refusals);
      if (outcome === clientError) increase(indexOf.clientErrors);
      if (outcome === abandoned) increase(indexOf.abandoned);
      if (outcome === fault) increase(indexOf.faults);
      if (slow < 0) return;
      increase(indexOf.measured);
      for (let bit = 0; bit < slowIndices.length; bit++) if ((slow >> bit) & 1) increase(slowIndices[bit] as number);
      if (outcome === passed && (slow >> (slowIndices.length - 1)) & 1) increase(indexOf.late99);
    },
    flush: (evidence: StageEvidence, at: number): void => {
      for (let index = 0; index < length; index++) {
        const row = touched[index] as number;
        const from = row * size;
        for (let measure = 0; measure < size; measure++) {
          one[measure] = counts[from + measure] as number;
          counts[from + measure] = 0;
        }
        const canary = row >= maxClusters ? canarySide : 0;
        evidence.add(canary ? "canary" : "stable", at, row - canary * maxClusters, one);
      }
      length = 0;
    },
  };
};
