/** Bounds how long a promise is awaited. */
import type { Deps } from "./types.ts";

/**
 * On the path of each request, so it uses one promise, one timer and one signal.
 * @param work returns a promise, and stops when the signal aborts
 * @param timeoutError creates the error that is thrown on timeout and becomes the signal's reason
 * @throws what the work throws, or the timeout error
 */
export const withTimeout = <T>(
  ms: number,
  { after }: Pick<Deps, "after">,
  work: (signal: AbortSignal) => Promise<T>,
  timeoutError: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> => untilAborted((abort) => after(ms, () => abort(timeoutError())), work);

/**
 * Waits for the work until a watch aborts it.
 * @param watch starts watching, and returns a function that stops it
 * @throws what the work throws, or the reason of the abort, which becomes the signal's reason
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
