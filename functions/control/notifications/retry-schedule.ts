/** Retry schedule of notices: the one that Standard Webhooks recommends, over three days. */

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

/** Upper bound of a receiver's Retry-After. */
const maxRetryAfterMs = 24 * hours;

/**
 * @param attempts number of attempts so far
 * @param random in [0, 1)
 * @param retryAfterMs the receiver's Retry-After
 * @returns the delay in milliseconds with ±10 % jitter; undefined if the notice is given up
 */
export const delayAfter = (attempts: number, random: number, retryAfterMs = 0): number | undefined => {
  const delay = delays[attempts - 1];
  if (delay === undefined) return undefined;
  return Math.round(Math.max(delay * (0.9 + random / 5), Math.min(retryAfterMs, maxRetryAfterMs)));
};
