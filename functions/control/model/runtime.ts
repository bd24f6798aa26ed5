/** Effects that control is given: network, clock, chance, log. */

/** What is not to be had twice the same; tests hand in their own. */
export interface World {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  /** One structured line. */
  readonly log: (line: object) => void;
}
