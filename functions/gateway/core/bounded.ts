/** Maps that hold a number of entries at most. */

interface Entries<K> {
  readonly size: number;
  readonly keys: () => Iterable<K>;
  readonly delete: (key: K) => boolean;
}

/** Call it after each addition: beyond `most` entries the oldest goes. A map keeps its entries in the order in which they came. */
export const forgetOldest = <K>(entries: Entries<K>, max: number): void => {
  if (entries.size <= max) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
};
