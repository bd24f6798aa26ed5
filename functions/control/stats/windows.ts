/**
 * The windows of a stage in which evidence is gathered: the whole stage, and shorter ones that start again and again, so that
 * harm that begins late is not diluted by the good time before.
 *
 * Each window is a test of its own, with a weight that is fixed beforehand. The weights add up to one at most, so the union
 * bound holds over all of them. Half is the whole stage's; a quarter of the rest each goes to the windows of one length, and of
 * that the k-th gets 1/(k(k+1)), since nobody knows how long a stage lasts.
 */

/** In milliseconds. */
export const windowLengths = [2, 8, 32, 128].map((minutes) => minutes * 60_000);

export interface Window {
  /** Milliseconds since the stage began. */
  readonly from: number;
  /** Excluded; infinite for the whole stage. */
  readonly until: number;
  /** Logarithm of the inverse of its weight. */
  readonly cost: number;
}

export const wholeStage: Window = { from: 0, until: Number.POSITIVE_INFINITY, cost: Math.log(2) };

/** The windows that begin then, a multiple of a minute. The first minute has the whole stage. */
export const windowsFrom = (at: number): Window[] =>
  at === 0
    ? []
    : windowLengths.flatMap((length) => {
        if (at % (length / 2) !== 0) return [];
        const number = at / (length / 2);
        return [
          {
            from: at,
            until: at + length,
            cost: Math.log(2 * windowLengths.length) + Math.log(number * (number + 1)),
          },
        ];
      });

/** Windows start at multiples of this. */
export const windowStepMs = 60_000;
