/** What an overlay may change in a filter while the gate runs: only what can do nothing but tighten. */

export interface Tighten<Config> {
  /**
   * The rates that the filter admits requests by, as the manifest has them. An overlay adds rates (`limits` of the filter's
   * place), and each rate has to allow a request, so an added one can only be tighter.
   */
  readonly limits?: (config: Config) => readonly string[];
}
