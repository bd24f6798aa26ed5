/** Bounds a wait. */
import type { Deps } from "./types.ts";

/**
 * Each request comes through here, so it is one promise, one timer and one signal.
 * @param work returns a promise, and is told to give up by the signal
 * @param timeoutError makes what is thrown when the time is over, and what the signal then bears
 * @throws what the work throws, or what `late` makes
 */
export const withTimeout = <T>(
  ms: number,
  { after }: Pick<Deps, "after">,
  work: (signal: AbortSignal) => Promise<T>,
  timeoutError: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> => untilAborted((abort) => after(ms, () => abort(timeoutError())), work);

/**
 * Waits for the work until a watch gives it up.
 * @param watch begins to watch, and returns what ends that
 * @throws what the work throws, or the reason for which it was given up, which the signal then bears
 */
export const untilAborted = <T>(
  watch: (abort: (reason: Error) => void) => () => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const controller = new AbortController();
    const stopWatching = watch((reason) => {
      reject(reason);
      controller.abort(reason);
    });
    work(controller.signal).then(
      (value) => {
        stopWatching();
        resolve(value);
      },
      (error: unknown) => {
        stopWatching();
        reject(error);
      },
    );
  });
