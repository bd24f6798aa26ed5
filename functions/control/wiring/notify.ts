/** The way to the outbox for who has something to tell. */

import type { Notify } from "../notifications/notification.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";

/** The one outbox of an environment. */
const outboxObjectName = "notices";
/** Nobody who decides waits longer for it. */
const timeoutMs = 2000;

export const outboxClient = (env: Pick<Bindings, "NOTICES">) => objectOf(env.NOTICES, outboxObjectName);

export const notifier =
  (env: Pick<Bindings, "NOTICES">): Notify =>
  async (notice) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const timedOut = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    return Promise.race([outboxClient(env).take(notice), timedOut]);
  };
