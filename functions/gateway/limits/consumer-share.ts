/** Counts a request among its consumer's, once filters have told whose it is. */
import { countAs } from "../core/concurrency.ts";
import { Consumer, known } from "../core/facts.ts";
import { busy } from "../core/problems.ts";
import type { Handler } from "../core/types.ts";

/** From here on a request is its consumer's, where one is known, and its address's no longer. */
export const countedByConsumer =
  (call: Handler): Handler =>
  (request, context) => {
    const consumer = context.place && known(context, Consumer);
    if (context.place && consumer && !countAs(context.place, `consumer ${consumer.id}`))
      return Promise.reject(busy("client-busy"));
    return call(request, context);
  };
