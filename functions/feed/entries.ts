/** What one tier's gates are told, as it is kept: whole lists, each with a revision that the next writer has to name. */
import { type Entry, mostEntries, type Told } from "../gateway/overlay.ts";

export interface Entries {
  readonly read: () => Promise<Told>;
  /** @returns undefined where somebody else wrote since that revision */
  readonly write: (revision: number, entries: readonly Entry[]) => Promise<Told | undefined>;
}

const key = "told";

export const entriesOn = (storage: Pick<DurableObjectStorage, "get" | "put">, now: () => number): Entries => {
  const read = async (): Promise<Told> => {
    const told = (await storage.get<Told>(key)) ?? { revision: 0, entries: [] };
    return { ...told, entries: told.entries.filter(({ until }) => until > now()) };
  };
  return {
    read,
    write: async (revision, entries) => {
      if ((await read()).revision !== revision) return undefined;
      const told = { revision: revision + 1, entries: entries.slice(-mostEntries) };
      await storage.put(key, told);
      return told;
    },
  };
};
