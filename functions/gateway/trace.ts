/** What each filter decided, for a request that is to be explained. Others carry none of it. */
import type { Context, Guard } from "./types.ts";

export interface Decision {
  /** Of the filter. */
  readonly id: string;
  readonly verdict: "passed" | "refused" | "answered" | "failed" | "skipped" | "shadowed" | "entered";
  /** The problem's code; of a skipped filter `when` or `percent`, of a shadowed one what it would have decided. */
  readonly code?: string | undefined;
  readonly ms: number;
}

export interface Trace {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly decisions: Decision[];
  /** The route that was found; empty where there is none. */
  route: string;
  /** What a guard's wrappers say of its verdict. */
  note?: Pick<Decision, "verdict" | "code"> | undefined;
}

export const traceOf = (now: () => number): Trace => ({ now, decisions: [], route: "" });

/** Runs a guard, and writes down what it decided and how long that took. */
export const watched = async (
  trace: Trace,
  id: string,
  guard: Guard,
  request: Request,
  context: Context,
): Promise<Response | undefined> => {
  const started = trace.now();
  trace.note = undefined;
  const write = (verdict: Decision["verdict"], code?: string) =>
    trace.decisions.push({ id, verdict, code, ms: trace.now() - started });
  try {
    const answer = await guard(request, context);
    if (answer) write(context.outcome.code === undefined ? "answered" : "refused", context.outcome.code);
    else {
      const { verdict = "passed", code }: Partial<Decision> = (trace.note as Trace["note"]) ?? {};
      write(verdict, code);
    }
    return answer;
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    write("failed", typeof code === "string" ? code : "internal");
    throw error;
  }
};

/** Says more of the verdict of the guard that runs. @returns undefined, as a guard that lets pass */
export const noted = ({ caller: { trace } }: Context, verdict: Decision["verdict"], code: string): undefined => {
  if (trace) trace.note = { verdict, code };
};
