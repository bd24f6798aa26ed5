/** Counts a request among its consumer's, once filters have told whose it is. */
import { assignClient } from "../core/concurrency.ts";
import { Consumer, getFact } from "../core/facts.ts";
import { busyFault } from "../core/problems.ts";
import type { Handler } from "../core/types.ts";

/** From here on a request is its consumer's, where one is known, and its address's no longer. */
export const countByConsumer =
  (call: Handler): Handler =>
  (request, context) => {
    const consumer = context.slot && getFact(context, Consumer);
    if (context.slot && consumer && !assignClient(context.slot, `consumer ${consumer.id}`))
      return Promise.reject(busyFault("client-busy"));
    return call(request, context);
  };
