/** What befalls both versions at once: the time of day, and incidents of an upstream that they share. */
import type { Chance } from "./random.ts";
import { look, type Weather } from "./traffic.ts";

/** An incident begins once in so many seconds, and lasts up to two minutes. */
const between = 900;
const longest = 120;
/** A day's swing passes in so many seconds here, so that a rollout of an hour sees half of it. */
const day = 7200;

/** Of the seconds since the start of the rollout, asked in order. */
export const weatherOf = ({ uniform, happens }: Chance): ((seconds: number) => Weather) => {
  const phase = uniform() * 2 * Math.PI;
  let incidentEnds = 0;
  return (seconds) => {
    if (happens(look / between)) incidentEnds = Math.max(incidentEnds, seconds + uniform() * longest);
    const swing = Math.sin((2 * Math.PI * seconds) / day + phase);
    const incident = seconds < incidentEnds;
    return {
      busy: 1 + 0.5 * swing,
      failing: incident ? 0.05 : 0,
      // 15 % slower at the busiest hour; half as long again in an incident.
      slow: Math.floor(1.5 + 1.5 * swing + uniform()) + (incident ? 8 : 0),
    };
  };
};
