/** When a stream must end: at its maximum age, or when its version is rolled back. */
import type { Deps, StreamEnd } from "../core/types.ts";

/**
 * The interval at which a stream polls for a drain. Without polling, a gate without requests would not learn of it.
 */
const pollMs = 10_000;
/** The most polls per stream: each may be a subrequest, which the platform limits per request. */
const maxPolls = 500;

export type StreamDeps = Pick<Deps, "now" | "sleep" | "random" | "log" | "recordStreamEnd" | "drainEnd">;

/** Streams end up to a tenth early, at random, so that clients do not reconnect all at once. */
const jitter = 0.1;

/**
 * @param ms the maximum age of the stream
 * @returns the reason, when the stream must end; rejects when the signal aborts, since it has ended before
 */
export const waitForEnd = (ms: number, deps: StreamDeps, signal: AbortSignal): Promise<StreamEnd> => {
  const aged = deps.sleep(ms * (1 - jitter * deps.random()), signal).then((): StreamEnd => "aged");
  return deps.drainEnd ? Promise.race([aged, waitForDrain(deps.drainEnd, ms, deps, signal)]) : aged;
};

/**
 * Drains streams of a version that was rolled back, so that clients reconnect to the current version.
 *
 * @param drainEnd when streams of this version must have ended, in milliseconds since the epoch; undefined when not
 * draining
 * @param ageMs the maximum age of the stream
 * @returns at a random time before the end, so that clients do not reconnect all at once
 */
const waitForDrain = async (
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
    // A stream that began after the drain belongs to a new release of the version.
    if (ends === undefined || ends <= since) continue;
    await sleep(random() * Math.max(0, ends - now()), signal);
    return "drained";
  }
};
