/** Sends notices to the environment's outbox object. */

import type { Notify } from "../notifications/notification.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";

/** Name of the outbox object; there is one per environment. */
const outboxObjectName = "notices";
/** Bounds how long a decision waits for the outbox. */
const timeoutMs = 2000;

export const outboxClient = (env: Pick<Bindings, "NOTICES">) => objectOf(env.NOTICES, outboxObjectName);

export const notifier =
  (env: Pick<Bindings, "NOTICES">): Notify =>
  async (notice) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const timedOut = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    return Promise.race([outboxClient(env).take(notice), timedOut]);
  };
