/** What an overlay may change in a filter while the gate runs: only changes that tighten it. */

export interface Tighten<Config> {
  /**
   * The filter's rates in the manifest. An overlay adds rates (`limits` of `FilterInstance`). Every rate must allow a
   * request, so an added rate only tightens.
   */
  readonly limits?: (config: Config) => readonly string[];
}
