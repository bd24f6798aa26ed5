/** What a controller of rollouts or waves keeps in its object: its state, and notices of it that the outbox has not taken yet. */
import { oneAtATime } from "../model/one-at-a-time.ts";
import type { Notice, Notify } from "./notification.ts";
import { openPendingNotices } from "./pending-notices.ts";

const current = "current";

export const storedState = <T>(storage: Pick<DurableObjectStorage, "get" | "put">, notify: Notify) => {
  let state: T | undefined;
  let loaded = false;
  /** What is decided is decided one after the other, though people ask while others are waited for. */
  const runExclusive = oneAtATime();
  const pendingNotices = openPendingNotices(storage, notify, runExclusive);
  return {
    runExclusive,
    load: async (): Promise<T | undefined> => {
      if (!loaded) state = await storage.get<T>(current);
      loaded = true;
      return state;
    },
    /** As it was last kept or loaded. */
    latest: (): T | undefined => state,
    /**
     * Written before anything rests on it, and at once with what has to be told of it.
     * @param notice given how many there were with it
     */
    save: async (it: T, notice?: (count: number) => Notice): Promise<void> => {
      const pending = notice && (await pendingNotices.beside(notice));
      await storage.put({ [current]: it, ...pending });
      state = it;
    },
    /** Hands the pending notices to the outbox. @returns whether it has taken all */
    notify: pendingNotices.notify,
  };
};
