/** Bounds a wait. */
import type { Deps } from "./types.ts";

/**
 * Each request comes through here, so it is one promise, one timer and one signal.
 * @param work returns a promise, and is told to give up by the signal
 * @param late makes what is thrown when the time is over, and what the signal then bears
 * @throws what the work throws, or what `late` makes
 */
export const within = <T>(
  ms: number,
  { after }: Pick<Deps, "after">,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> => untilGivenUp((giveUp) => after(ms, () => giveUp(late())), work);

/**
 * Waits for the work until a watch gives it up.
 * @param watch begins to watch, and returns what ends that
 * @throws what the work throws, or the reason for which it was given up, which the signal then bears
 */
export const untilGivenUp = <T>(
  watch: (giveUp: (reason: Error) => void) => () => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const cut = new AbortController();
    const end = watch((reason) => {
      reject(reason);
      cut.abort(reason);
    });
    work(cut.signal).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
