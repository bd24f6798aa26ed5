/**
 * Remembers the evidence of periods that have ended. A rollout is judged every few seconds over all its periods, and each reads
 * every tier of the Worker: of the front all tiers, while the platform limits the calls of one event.
 */
import type { Rollout, Stretch } from "../model/rollout.ts";
import type { Stage } from "../verdict/evidence.ts";

/** Reports of a period still arrive for some time: a tail that cannot be delivered waits for a minute. */
const lateMs = 300_000;
/** In memory: each has the latencies of both versions, by groups of users. */
const maxRemembered = 20;

type ReadEvidence = (it: Rollout, stretch: Stretch) => Promise<Stage>;

export const rememberEnded = (read: ReadEvidence, now: () => number): ReadEvidence => {
  const ended = new Map<string, Stage>();
  return async (it, stretch) => {
    if (stretch.until === null || now() - stretch.until < lateMs) return read(it, stretch);
    const key = [it.id, stretch.since, stretch.until, stretch.share].join(" ");
    const known = ended.get(key);
    if (known) return known;
    const stage = await read(it, stretch);
    ended.set(key, stage);
    const [oldest] = ended.keys();
    if (ended.size > maxRemembered && oldest !== undefined) ended.delete(oldest);
    return stage;
  };
};
