/** Reads a request's whole body, for a filter that has to see it before the service does. */
import { collect } from "./collect.ts";
import { Body, BodyLimit, known, learn } from "./facts.ts";
import { Fault, upstreamCodes } from "./faults.ts";
import { awaitingClient, hasBody, tellLimit } from "./outbound.ts";
import { within } from "./patience.ts";
import type { Context, Deps } from "./types.ts";

const nothing = new Uint8Array();

/** How long a client may take to send it. */
const patienceMs = 30_000;

/**
 * What has been read goes to the upstream from memory, so the checker wants a `body-limit` ahead.
 * @throws Fault `body-too-large`, `body-incomplete`, `body-late`
 */
export const wholeBody = async (request: Request, context: Context, deps: Pick<Deps, "after">): Promise<Uint8Array> => {
  const read = known(context, Body);
  if (read) return read;
  const limit = known(context, BodyLimit) ?? 0;
  const tooLarge = () => new Fault(upstreamCodes, "body-too-large", tellLimit(limit));
  if (!hasBody(request)) return nothing;
  const late = () => new Fault(upstreamCodes, "body-late");
  try {
    const read = () => awaitingClient(context, collect(request.body, limit, tooLarge));
    const body = await within(patienceMs, deps, read, late);
    learn(context, Body, body);
    return body;
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault(upstreamCodes, "body-incomplete", { cause });
  }
};
