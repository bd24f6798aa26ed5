/** Records the copies that mirror filters send. Every request is copied, whatever the share, and the copy is awaited. */

import type { Deps } from "../../functions/gateway/core/types.ts";
import type { MakeFilter, Parts } from "../../functions/gateway/part.ts";

export interface CopyRecorder {
  /** The network that receives the copies of a filter, by filter id. */
  readonly network: (id: string) => Deps["fetch"];
  /** Called with each pending copy. Only tests await them. */
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
