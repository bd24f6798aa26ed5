/** Turns thrown errors into problems. */
import { type Codes, Fault, gatewayCodes, problemResponse } from "./core/problems.ts";
import type { Context, Deps } from "./core/types.ts";

/** A Fault keeps its code. Any other error is `internal`, whose cause is only logged. */
export const rescue = (error: unknown, context: Context, deps: Deps): Response => {
  const fault =
    error instanceof Fault ? (error as Fault<Codes>) : new Fault<Codes>(gatewayCodes, "internal", { cause: error });
  const { code, problemType: meaning, options, cause } = fault;
  const { tier, name } = context.route;
  context.outcome.verdict = meaning.status < 500 ? "refused" : "failed";
  context.outcome.code = code;
  if (meaning.status >= 500 && cause !== undefined)
    deps.log({
      type: "fault",
      tier,
      route: name || null,
      code,
      cause: causeText(cause),
      request: context.caller.requestId,
    });
  return problemResponse(code, meaning, context.caller.requestId, options);
};

const causeText = (cause: unknown): string =>
  (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).slice(0, 500);
