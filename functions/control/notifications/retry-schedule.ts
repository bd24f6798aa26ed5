/** When a notice that was not heard is told again: the schedule that Standard Webhooks recommends, three days long. */

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

/** After the first attempt, the second, … */
const delays: readonly number[] = [
  5 * seconds,
  5 * minutes,
  30 * minutes,
  2 * hours,
  5 * hours,
  10 * hours,
  14 * hours,
  20 * hours,
  24 * hours,
];

/** No receiver's Retry-After puts a notice off for longer. */
const maxRetryAfterMs = 24 * hours;

/**
 * @param attempts that were made
 * @param random in [0, 1)
 * @param retryAfterMs what the receiver said
 * @returns milliseconds, a tenth less or more than the schedule says; undefined where it is given up
 */
export const delayAfter = (attempts: number, random: number, retryAfterMs = 0): number | undefined => {
  const delay = delays[attempts - 1];
  if (delay === undefined) return undefined;
  return Math.round(Math.max(delay * (0.9 + random / 5), Math.min(retryAfterMs, maxRetryAfterMs)));
};
