/** The way to the outbox for who has something to tell. */

import type { Tell } from "../notifications/notification.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Bindings } from "./bindings.ts";

/** The one outbox of an environment. */
const outbox = "notices";
/** Nobody who decides waits longer for it. */
const patienceMs = 2000;

export const noticesOf = (env: Pick<Bindings, "NOTICES">) => objectOf(env.NOTICES, outbox);

export const tellOf =
  (env: Pick<Bindings, "NOTICES">): Tell =>
  async (notice) => {
    const signal = AbortSignal.timeout(patienceMs);
    const late = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    return Promise.race([noticesOf(env).take(notice), late]);
  };
