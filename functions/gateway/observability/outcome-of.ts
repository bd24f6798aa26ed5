/** Which measures of a rollout the outcome of a request counts for, beside the number of requests. */
import type { Outcome } from "../core/types.ts";

/**
 * `errors`: answers 5xx from anyone. `refusals`: 4xx of the gate itself. `clientErrors`: 4xx of the service. `abandoned`: the
 * client disconnected before the answer. `faults`: failures of the gate itself, which no service and no client can cause; they are
 * errors too.
 */
export type OutcomeMeasure = "errors" | "refusals" | "clientErrors" | "abandoned" | "faults";

/** What a series says of it. */
interface JudgedOutcome {
  readonly status: string;
  readonly verdict: Outcome["verdict"];
  readonly code: string;
}

/**
 * A request counts for one of errors, refusals, client errors and abandonment at most. Only `internal` is a fault: it is
 * what the gate answers when its code throws. Every other 5xx has a reason outside of the code: a service or a store that fails, or
 * a limit, a deadline or a closed route that the manifest or an overlay sets.
 */
export const outcomeOf = ({ status, verdict, code }: JudgedOutcome): readonly OutcomeMeasure[] => {
  if (verdict === "left") return abandoned;
  // The overflow series have a class: `5xx`.
  if (status.startsWith("5")) return code === "internal" ? faults : errors;
  if (!status.startsWith("4")) return nothing;
  return verdict === "passed" ? clientErrors : refusals;
};

const nothing: readonly OutcomeMeasure[] = [];
const errors: readonly OutcomeMeasure[] = ["errors"];
const refusals: readonly OutcomeMeasure[] = ["refusals"];
const clientErrors: readonly OutcomeMeasure[] = ["clientErrors"];
const abandoned: readonly OutcomeMeasure[] = ["abandoned"];
const faults: readonly OutcomeMeasure[] = ["errors", "faults"];
