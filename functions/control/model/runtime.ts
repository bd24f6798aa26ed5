/** Effects that control gets as a parameter: network, clock, random numbers, log. */

/** Effects that are not deterministic; tests pass their own. */
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
