/** How one version treats requests. */
import { type LatencyShape, shapeOf } from "./latency.ts";

/** Shares are of requests. */
export interface Behaviour {
  readonly errors: number;
  readonly refusals: number;
  /** The service answers 4xx. */
  readonly clientErrors: number;
  /** The client gives up, 30 s after its request. */
  readonly hangs: number;
  /** The gate itself fails, or its isolate dies. */
  readonly faults: number;
  /** Times as long for the slowest hundredth. */
  readonly slower: number;
  /** Times as long for all requests. */
  readonly times: number;
  /** Users get no response, and no gate reports the request. */
  readonly lost: number;
  /** Share of the requests that clients send at all. */
  readonly sent: number;
  /** Share of its requests that it reports: 1 is all. */
  readonly reports: number;
  /** Seconds by which its reports arrive too late. */
  readonly late: number;
  /** Share of its failures that it reports as successes. */
  readonly lies: number;
}

export const usual: Behaviour = {
  errors: 0.001,
  refusals: 0.02,
  clientErrors: 0.01,
  hangs: 0.0005,
  faults: 0,
  slower: 1,
  times: 1,
  lost: 0,
  sent: 1,
  reports: 1,
  late: 0,
  lies: 0,
};

/** The probability that a client retries after an error. */
const retryProbability = 0.5;
/** The least probability that a retry fails again. */
const failsAgain = 0.5;

/** A behaviour, as the requests of one client are drawn by it. */
export interface VersionModel extends Behaviour {
  readonly shape: LatencyShape;
  /** Probability that a request fails which is no retry, and that a retry does. */
  readonly firstErrors: number;
  readonly retryErrors: number;
}

/** Retries are requests too: the first ones fail less often, so that `errors` is the share among all requests. */
export const modelOf = (it: Behaviour): VersionModel => {
  const retryErrors = Math.max(failsAgain, it.errors);
  const again = retryProbability * retryErrors;
  const firstErrors = (it.errors * (1 - again)) / (1 - it.errors * retryProbability);
  return { ...it, shape: shapeOf(it.slower, it.times), firstErrors, retryErrors };
};

export { retryProbability };

/** Requests for each one that is no retry. */
export const requestsPerFirst = ({ firstErrors, retryErrors }: VersionModel): number =>
  1 + (firstErrors * retryProbability) / (1 - retryProbability * retryErrors);
