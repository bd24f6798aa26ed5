/** Reads a request's whole body, for a filter that has to see it before the service does. */

import { Body, BodyLimit, known, learn } from "../core/facts.ts";
import { Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, Deps } from "../core/types.ts";
import { collect } from "../http/read-stream.ts";
import { withinTimes } from "../service/timeout.ts";
import { arrived, awaitingClient, hasBody, tellLimit } from "./send.ts";

const nothing = new Uint8Array();

/** How long a client may take to send all of it. */
const wholeMs = 30_000;

/**
 * What has been read goes to the upstream from memory, so the checker wants a `body-limit` ahead.
 * @throws Fault `body-too-large`, `body-incomplete`, `body-late`, `gate-busy`
 */
export const wholeBody = async (
  request: Request,
  context: Context,
  deps: Pick<Deps, "after" | "now">,
): Promise<Uint8Array> => {
  const read = known(context, Body);
  if (read) return read;
  const limit = known(context, BodyLimit) ?? 0;
  const tooLarge = () => new Fault(upstreamCodes, "body-too-large", tellLimit(limit));
  if (!hasBody(request)) return nothing;
  const late = () => new Fault(upstreamCodes, "body-late");
  const awaited = <T>(part: Promise<T>) => awaitingClient(context, part);
  try {
    const body = await withinTimes(wholeMs, context, deps, () => collect(request.body, limit, tooLarge, awaited), late);
    arrived(context);
    learn(context, Body, body);
    return body;
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault(upstreamCodes, "body-incomplete", { cause });
  }
};
