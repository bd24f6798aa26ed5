/** The decision trace of a request that is explained. Other requests have none. */
import type { Context, Decision, Guard, Trace } from "./types.ts";

export const startTrace = (now: () => number): Trace => ({ now, decisions: [], route: "" });

/** Runs a guard and records its decision and duration. */
export const tracedGuard = async (
  trace: Trace,
  id: string,
  guard: Guard,
  request: Request,
  context: Context,
): Promise<Response | undefined> => {
  const started = trace.now();
  trace.note = undefined;
  const addDecision = (verdict: Decision["verdict"], code?: string) =>
    trace.decisions.push({ id, verdict, code, ms: trace.now() - started });
  try {
    const answer = await guard(request, context);
    if (answer) addDecision(context.outcome.code === undefined ? "answered" : "refused", context.outcome.code);
    else {
      const { verdict = "passed", code }: Partial<Decision> = (trace.note as Trace["note"]) ?? {};
      addDecision(verdict, code);
    }
    return answer;
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    addDecision("failed", typeof code === "string" ? code : "internal");
    throw error;
  }
};

/**
 * Adds detail to the running guard's decision.
 * @returns undefined, as a guard that lets pass
 */
export const noteDecision = ({ caller: { trace } }: Context, verdict: Decision["verdict"], code: string): undefined => {
  if (trace) trace.note = { verdict, code };
};
