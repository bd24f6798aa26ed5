/** Notices stored together with the state that they report, until the outbox has taken them. */
import type { Notice, Notify } from "./notification.ts";

/** The number of notices so far, and those that the outbox has not taken yet. The property names are stored. */
interface PendingNotices {
  readonly count: number;
  readonly untold: readonly Notice[];
}

const key = "news";
const maxPending = 50;
/** Of their JSON: a stored value has 2 MiB at most, and a character may take two bytes. */
const maxPendingChars = 800_000;

/** A notice that is lost harms less than a state that cannot be stored. */
const newestThatFit = (all: readonly Notice[]): readonly Notice[] => {
  let chars = 0;
  const from = all.findLastIndex((it) => {
    chars += JSON.stringify(it).length;
    return chars > maxPendingChars;
  });
  return all.slice(from + 1).slice(-maxPending);
};

/** @param runExclusive runs work without concurrent writes */
export const openPendingNotices = (
  storage: Pick<DurableObjectStorage, "get" | "put">,
  notify: Notify,
  runExclusive: <T>(work: () => Promise<T>) => Promise<T>,
) => {
  const read = async (): Promise<PendingNotices> =>
    (await storage.get<PendingNotices>(key)) ?? { count: 0, untold: [] };
  return {
    /**
     * @param notice builds the notice from its number, which is part of its id
     * @returns the record to store in the same write as the state that the notice reports
     */
    beside: async (notice: (count: number) => Notice): Promise<Readonly<Record<string, unknown>>> => {
      const before = await read();
      const count = before.count + 1;
      return {
        [key]: { count, untold: newestThatFit([...before.untold, notice(count)]) } satisfies PendingNotices,
      };
    },
    /** Hands the pending notices to the outbox. @returns whether it has taken all */
    notify: async (): Promise<boolean> => {
      const { untold } = await read();
      if (untold.length === 0) return true;
      const delivered = new Set<string>();
      try {
        for (const notice of untold) {
          await notify(notice);
          delivered.add(notice.id);
        }
      } catch {
        // Retried at the next reconciliation.
      }
      await runExclusive(async () => {
        const now = await read();
        await storage.put(key, { ...now, untold: now.untold.filter(({ id }) => !delivered.has(id)) });
      });
      return delivered.size === untold.length;
    },
  };
};
