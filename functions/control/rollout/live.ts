/**
 * What the platform runs now, for people who look. The answers that the rollout got are remembered: the platform limits calls,
 * and many people look when a rollout, which needs them too, is in trouble.
 */
import type { LiveSplit, Platform } from "../model/platform.ts";

const maxAgeMs = 10_000;

/** @param reading another instance of the platform: what a person reads is no observation of the rollout */
export const rememberingPlatform = (platform: Platform, reading: Pick<Platform, "deployments">, now: () => number) => {
  const remembered = new Map<string, { readonly at: number; readonly split: Promise<LiveSplit> }>();
  const remember = (worker: string, answer: ReturnType<Platform["deployments"]>) => {
    const split = answer.then((it) => liveSplitOf(worker, it));
    remembered.set(worker, { at: now(), split });
    split.catch(() => remembered.delete(worker));
    return split;
  };
  return {
    ...platform,
    deployments: (worker) => {
      const answer = platform.deployments(worker);
      remember(worker, answer);
      return answer;
    },
    split: (worker, versions, message) => {
      remembered.delete(worker);
      return platform.split(worker, versions, message).finally(() => remembered.delete(worker));
    },
    /** @param workers those of the tier */
    live: (workers: readonly string[]): Promise<LiveSplit[]> =>
      Promise.all(
        workers.map(async (worker) => {
          const known = remembered.get(worker);
          return known && now() - known.at < maxAgeMs ? known.split : remember(worker, reading.deployments(worker));
        }),
      ),
  } satisfies Platform & { readonly live: unknown };
};

const liveSplitOf = (worker: string, answer: Awaited<ReturnType<Platform["deployments"]>>): LiveSplit => {
  if (!answer.ok) return { worker, versions: null, message: null, author: null, fault: answer.message };
  const [{ versions, message, author } = { versions: [], message: null, author: null }] = answer.result;
  return { worker, versions, message, author, fault: null };
};
