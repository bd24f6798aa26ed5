/** Storage of a controller's Durable Object: its state, and the notices that the outbox has not accepted yet. */
import { oneAtATime } from "../model/one-at-a-time.ts";
import type { Notice, Notify } from "./notification.ts";
import { openPendingNotices } from "./pending-notices.ts";

const current = "current";

export const storedState = <T>(storage: Pick<DurableObjectStorage, "get" | "put">, notify: Notify) => {
  let state: T | undefined;
  let loaded = false;
  /** Decisions run one at a time; a call may arrive while another one waits for a port. */
  const runExclusive = oneAtATime();
  const pendingNotices = openPendingNotices(storage, notify, runExclusive);
  return {
    runExclusive,
    load: async (): Promise<T | undefined> => {
      if (!loaded) state = await storage.get<T>(current);
      loaded = true;
      return state;
    },
    /** The state that was last saved or loaded. */
    latest: (): T | undefined => state,
    /**
     * Writes the state and its notice in one transaction, before anything depends on them.
     * @param notice receives the number of notices so far, including this one
     */
    save: async (next: T, notice?: (count: number) => Notice): Promise<void> => {
      const pending = notice && (await pendingNotices.beside(notice));
      await storage.put({ [current]: next, ...pending });
      state = next;
    },
    /** Sends the pending notices to the outbox. @returns whether it accepted all of them */
    notify: pendingNotices.notify,
  };
};
