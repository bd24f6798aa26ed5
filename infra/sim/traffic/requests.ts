/** Draws requests one by one: whose it is, which version gets it, and what becomes of it. */
import { sampleIndex } from "./alias.ts";
import { requestsPerFirst, retryProbability, type VersionModel } from "./behaviour.ts";
import { type Clients, dealtKind } from "./clients.ts";
import { thresholdsPerRoute } from "./latency.ts";
import type { Random } from "./random.ts";

/** What becomes of a request. */
export const [passed, error, refusal, clientError, abandoned, fault] = [0, 1, 2, 3, 4, 5] as const;

export const [stableSide, canarySide] = [0, 1] as const;

/** One version's part in a period. */
export interface VersionPeriod {
  readonly model: VersionModel;
  /** Share of the requests whose latency is not measured: those of cold isolates, or all of a route that stable does not know. */
  readonly unmeasured: number;
  /** By distance and threshold, the probability to be slower. */
  readonly exceeding: Float64Array;
}

/** Requests of some clients in a period, all with one behaviour under each version. */
export interface Drawn {
  readonly clients: Clients;
  readonly positions: Float64Array;
  /** Mean number of requests, retries included. */
  readonly mean: number;
  /** The canary's share of users. */
  readonly share: number;
  /** Share of all requests that fail for a reason that both versions have. */
  readonly failing: number;
  readonly versions: readonly [stable: VersionPeriod, canary: VersionPeriod];
}

/**
 * Counts a reported request.
 * @param slow one bit for each threshold that it exceeds, or -1 if its latency is not measured
 */
export type Count = (side: number, cluster: number, outcome: number, slow: number, version: VersionModel) => void;

/**
 * What happened to the new version's requests, whether it was reported or not, and how many of them would have failed under
 * stable at that time. Attackers' requests are left out.
 */
export interface Harm {
  requests: number;
  failed: number;
  failedUnderStable: number;
}

/** Where requests are counted. */
export interface Sinks {
  readonly count: Count;
  readonly harm: Harm;
  /** By version: all requests that were answered, as the tail sees them. */
  readonly witnessed: Float64Array;
}

export const drawRequests = (it: Drawn, { uniform, poisson }: Random, sinks: Sinks): void => {
  const { clients, versions } = it;
  const draw = drawerOf(it, uniform, sinks);
  const first = poisson(it.mean / requestsPerFirst(versions[stableSide].model));
  for (let index = 0; index < first; index++) {
    const client = sampleIndex(clients.draw, uniform());
    for (let again = draw(client, false); again; ) again = draw(client, true);
  }
};

/** Returns what draws one request of a client, and whether the client retries it. */
const drawerOf = (
  { clients, positions, share, failing, versions }: Drawn,
  uniform: () => number,
  { count, harm, witnessed }: Sinks,
): ((client: number, retry: boolean) => boolean) => {
  const { kind, cluster, distance } = clients;
  const { attack } = clients.of;
  const known = attack?.known;
  const silent = known === undefined ? -1 : known === "canary" ? stableSide : canarySide;
  const stable = versions[stableSide].model;
  return (client, retry) => {
    const position = kind[client] === dealtKind ? uniform() : (positions[client] as number);
    const side = position < share ? canarySide : stableSide;
    if (side === silent) return false;
    const version = versions[side];
    const { model } = version;
    if (model.sent < 1 && uniform() >= model.sent) return false;
    const times = clients.failing[client] as number;
    const refused = clients.refused[client] as number;
    const outcome = outcomeOf(
      model,
      retry ? model.retryErrors : model.firstErrors * times + failing,
      refused,
      uniform(),
    );
    const lost = model.lost > 0 && uniform() < model.lost;
    if (!attack && side === canarySide) {
      harm.requests++;
      if (lost || outcome !== passed) harm.failed++;
      harm.failedUnderStable += failureOf(stable, times, refused, failing);
    }
    if (!lost) witnessed[side] = (witnessed[side] as number) + 1;
    if (!lost && (model.reports >= 1 || uniform() < model.reports)) {
      const reported = model.lies > 0 && outcome !== passed && uniform() < model.lies ? passed : outcome;
      const slow =
        version.unmeasured > 0 && uniform() < version.unmeasured
          ? -1
          : slownessOf(reported, version.exceeding, (distance[client] as number) * thresholdsPerRoute, uniform);
      count(side, cluster[client] as number, reported, slow, model);
    }
    return outcome === error && uniform() < retryProbability;
  };
};

const outcomeOf = (model: VersionModel, errors: number, refused: number, drawn: number): number => {
  let left = drawn - errors;
  if (left < 0) return error;
  left -= model.refusals * refused;
  if (left < 0) return refusal;
  left -= model.clientErrors;
  if (left < 0) return clientError;
  left -= model.hangs;
  if (left < 0) return abandoned;
  return left < model.faults ? fault : passed;
};

/** The probability that a request fails. */
const failureOf = (
  { errors, refusals, clientErrors, hangs, faults, lost }: VersionModel,
  times: number,
  refused: number,
  failing: number,
): number =>
  lost + (1 - lost) * Math.min(1, errors * times + failing + refusals * refused + clientErrors + hangs + faults);

/** Failed requests are slower than any threshold; gates measure no latency of a 4xx. */
const slownessOf = (outcome: number, exceeding: Float64Array, at: number, uniform: () => number): number => {
  if (outcome === refusal || outcome === clientError) return -1;
  if (outcome !== passed) return 2 ** thresholdsPerRoute - 1;
  const drawn = uniform();
  let slow = 0;
  for (let index = 0; index < thresholdsPerRoute; index++)
    if (drawn < (exceeding[at + index] as number)) slow |= 1 << index;
  return slow;
};
