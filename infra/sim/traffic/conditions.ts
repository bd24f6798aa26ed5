/** Conditions that affect both versions: the time of day, and incidents of a shared upstream. */
import type { Random } from "./random.ts";

/** Simulated seconds between evaluations. */
export const intervalSeconds = 10;
/** An incident begins once in so many seconds, and lasts up to two minutes. */
const incidentIntervalSeconds = 900;
const maxIncidentSeconds = 120;
/** A day's swing passes in so many seconds here, so that a rollout of an hour sees half of it. */
const daySeconds = 7200;

export interface Conditions {
  /** Times the mean rate. */
  readonly busy: number;
  /** Errors of all requests, on top. */
  readonly failing: number;
  /** Bins that all latencies are moved by. */
  readonly slow: number;
}

/** Returns the conditions at a second since the rollout's start; call it in order. */
export const conditionsOverTime = ({ uniform, happens }: Random): ((seconds: number) => Conditions) => {
  const phase = uniform() * 2 * Math.PI;
  let incidentEnds = Number.NEGATIVE_INFINITY;
  return (seconds) => {
    if (happens(intervalSeconds / incidentIntervalSeconds))
      incidentEnds = Math.max(incidentEnds, seconds + uniform() * maxIncidentSeconds);
    const swing = Math.sin((2 * Math.PI * seconds) / daySeconds + phase);
    const incident = seconds < incidentEnds;
    return {
      busy: 1 + 0.5 * swing,
      failing: incident ? 0.05 : 0,
      // 15 % slower at the busiest hour; half as long again in an incident.
      slow: Math.floor(1.5 + 1.5 * swing + uniform()) + (incident ? 8 : 0),
    };
  };
};
