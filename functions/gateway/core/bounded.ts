/** Bounds the size of maps and sets. */

interface Entries<K> {
  readonly size: number;
  readonly keys: () => Iterable<K>;
  readonly delete: (key: K) => boolean;
}

/** Evicts the oldest entry beyond `max`. Call it after each addition. Maps and sets keep insertion order. */
export const forgetOldest = <K>(entries: Entries<K>, max: number): void => {
  if (entries.size <= max) return;
  for (const oldest of entries.keys()) {
    entries.delete(oldest);
    return;
  }
};
