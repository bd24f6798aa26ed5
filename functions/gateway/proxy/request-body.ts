/** Reads the whole request body for filters that need it. */

import { Body, BodyLimit, getFact, setFact } from "../core/facts.ts";
import { Fault, upstreamCodes } from "../core/problems.ts";
import type { Context, Deps } from "../core/types.ts";
import { readAll } from "../http/read-stream.ts";
import { withBodyTimeouts } from "../service/timeout.ts";
import { awaitingClient, bodyLimitDetail, hasBody, requireSlotForBody } from "./send.ts";

const nothing = new Uint8Array();

/** The longest time for the whole body. */
const bodyTimeoutMs = 30_000;

/**
 * The body is forwarded from memory, so the checker requires a `body-limit` ahead.
 * @throws Fault `body-too-large`, `body-incomplete`, `body-late`, `gate-busy`
 */
export const readBody = async (
  request: Request,
  context: Context,
  deps: Pick<Deps, "after" | "now">,
): Promise<Uint8Array> => {
  const read = getFact(context, Body);
  if (read) return read;
  const limit = getFact(context, BodyLimit) ?? 0;
  const tooLarge = () => new Fault(upstreamCodes, "body-too-large", bodyLimitDetail(limit));
  if (!hasBody(request)) return nothing;
  const timeoutFault = () => new Fault(upstreamCodes, "body-late");
  const awaitChunk = <T>(part: Promise<T>) => awaitingClient(context, part);
  try {
    const body = await withBodyTimeouts(
      bodyTimeoutMs,
      context,
      deps,
      () => readAll(request.body, limit, tooLarge, awaitChunk),
      timeoutFault,
    );
    requireSlotForBody(context);
    setFact(context, Body, body);
    return body;
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault(upstreamCodes, "body-incomplete", { cause });
  }
};
