/** Filters that send copies of requests, with what they send in sight: whatever their share, every request is copied, and the copy is waited for. */

import type { Deps } from "../../functions/gateway/core/types.ts";
import type { MakeFilter, Parts } from "../../functions/gateway/part.ts";

export interface CopyDesk {
  /** What receives the copies of a filter, by its id. */
  readonly network: (id: string) => Deps["fetch"];
  /** Copies under way: nobody but a test waits for them. */
  readonly underWay: (work: Promise<unknown>) => void;
}

/** @param uses kinds of filters that copy */
export const withCopies = (
  filters: Parts["filters"],
  uses: readonly string[],
  { network, underWay }: CopyDesk,
): Parts["filters"] => ({
  ...filters,
  ...Object.fromEntries(
    uses.flatMap((use) => {
      const make = filters[use];
      return make ? [[use, seen(make, network, underWay)]] : [];
    }),
  ),
});

const seen =
  (make: MakeFilter, network: CopyDesk["network"], underWay: CopyDesk["underWay"]): MakeFilter =>
  (config, deps, place) =>
    make(config, { ...deps, random: () => 0, fetch: network(place.id), defer: (work) => underWay(work()) }, place);
