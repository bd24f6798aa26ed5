/** Bounds the wait for something that a filter asks for on its way. */
import type { Deps } from "./types.ts";

/**
 * @param work is told to give up by its signal
 * @throws what the work throws, or an Error that says how long was waited
 */
export const within = async <T>(
  ms: number,
  { sleep }: Pick<Deps, "sleep">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const cut = new AbortController();
  const settled = new AbortController();
  const expiry = sleep(ms, settled.signal).then(() => {
    const late = new Error(`no answer within ${ms} ms`);
    cut.abort(late);
    throw late;
  });
  expiry.catch(() => {});
  try {
    return await Promise.race([work(cut.signal), expiry]);
  } finally {
    settled.abort();
  }
};
