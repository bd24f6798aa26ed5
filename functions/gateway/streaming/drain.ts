/** Ends the streams of a version that was taken back, so that their clients come back to the version that users have now. */
import type { Deps, StreamEnd } from "../core/types.ts";

/** How often a stream asks, at most and with chance: a gate that has no new requests hears of nothing otherwise. */
const pollMs = 10_000;
/** Of one stream, however old it may grow: each may be a call of the platform, which bounds them for each request. */
const maxPolls = 500;

/**
 * @param drainEnd when streams of this version have ended, in milliseconds since the epoch; undefined while they go on
 * @param ageMs the longest that the stream may go on
 * @returns at a moment of its own, so that clients do not come back all at once
 */
export const waitForDrain = async (
  drainEnd: NonNullable<Deps["drainEnd"]>,
  ageMs: number,
  { now, random, sleep }: Pick<Deps, "now" | "random" | "sleep">,
  signal: AbortSignal,
): Promise<StreamEnd> => {
  const everyMs = Math.max(pollMs, ageMs / maxPolls);
  const since = now();
  for (;;) {
    await sleep(everyMs * (1 - random() / 2), signal);
    const ends = await drainEnd();
    // Who came after that was sent here anew: the version has been released again.
    if (ends === undefined || ends <= since) continue;
    await sleep(random() * Math.max(0, ends - now()), signal);
    return "drained";
  }
};
