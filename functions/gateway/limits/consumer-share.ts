/** Counts concurrent requests by consumer once filters have identified it. */
import { assignClient } from "../core/concurrency.ts";
import { Consumer, getFact } from "../core/facts.ts";
import { busyFault } from "../core/problems.ts";
import type { Handler } from "../core/types.ts";

/** From here on a request counts for its consumer, if known, instead of its address. */
export const countByConsumer =
  (call: Handler): Handler =>
  (request, context) => {
    const consumer = context.slot && getFact(context, Consumer);
    if (context.slot && consumer && !assignClient(context.slot, `consumer ${consumer.id}`))
      return Promise.reject(busyFault("client-busy"));
    return call(request, context);
  };
