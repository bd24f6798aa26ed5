/** Filters that send copies of requests, with what they send in sight: whatever their share, every request is copied, and the copy is waited for. */

import type { Deps } from "../../functions/gateway/core/types.ts";
import type { MakeFilter, Parts } from "../../functions/gateway/part.ts";

export interface CopyRecorder {
  /** What receives the copies of a filter, by its id. */
  readonly network: (id: string) => Deps["fetch"];
  /** Copies under way: nobody but a test waits for them. */
  readonly onCopy: (work: Promise<unknown>) => void;
}

/** @param copyingFilters kinds of filters that copy */
export const withCopies = (
  filters: Parts["filters"],
  copyingFilters: readonly string[],
  { network, onCopy }: CopyRecorder,
): Parts["filters"] => ({
  ...filters,
  ...Object.fromEntries(
    copyingFilters.flatMap((use) => {
      const make = filters[use];
      return make ? [[use, recordCopies(make, network, onCopy)]] : [];
    }),
  ),
});

const recordCopies =
  (make: MakeFilter, network: CopyRecorder["network"], onCopy: CopyRecorder["onCopy"]): MakeFilter =>
  (config, deps, place) =>
    make(config, { ...deps, random: () => 0, fetch: network(place.id), defer: (work) => onCopy(work()) }, place);
