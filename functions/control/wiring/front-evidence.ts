/** The evidence about a version of the front: what gates, the tail and the front itself counted of its requests. */

import { frontName } from "../../front/front-name.ts";
import { firstOf } from "../../gateway/observability/clusters.ts";
import type { Group, Sample } from "../../gateway/observability/samples.ts";
import type { ControlPlan } from "../model/plan.ts";
import { objectOf } from "../rpc/objects.ts";
import { indexOf, measures, type Side } from "../stats/measures.ts";
import { StageEvidence } from "../stats/stage-evidence.ts";
import type { StageSummary } from "../stats/stage-summary.ts";
import { unreportedAsCauses } from "../telemetry/counts/causes.ts";
import { noRequests, type StoredSample, sumOfSamples } from "../telemetry/counts/samples.ts";
import { reportDelayMs } from "../telemetry/evidence/cell-table.ts";
import { sampleOfTotals } from "../telemetry/evidence/cells.ts";
import type { StageQuery } from "../telemetry/evidence/stage-table.ts";
import type { UnitEvidence } from "../telemetry/evidence/stages.ts";
import { diedInFront, throughFront } from "../telemetry/store.ts";
import type { Bindings } from "./bindings.ts";
import { type EvidenceSum, sumOfUnits } from "./units.ts";

type Telemetry = Pick<Bindings, "TELEMETRY">;
type Tiers = Pick<ControlPlan, "tiers">;

/**
 * Gates count what came through the version, the front what it answered itself and how long all took, and the tail what
 * died. A front that fails may not report it: the tail sees the statuses too, and the failures that nobody else counted are
 * added, as a unit of their own. Requests that it drops are missing at the gates, which the sample ratio shows.
 */
export const frontEvidence = async (
  env: Telemetry,
  { tiers }: Tiers,
  versions: Readonly<Record<Side, string>>,
  query: Pick<StageQuery, "since" | "until" | "settling" | "bounds">,
  read: (object: string, stable: string, canary: string) => Promise<UnitEvidence>,
  now: number,
): Promise<EvidenceSum> => {
  // The tail does not know when a request started, and gates may report the newest ones after it.
  const since = query.since + reportDelayMs;
  const until = Math.min((query.until ?? Number.POSITIVE_INFINITY) + reportDelayMs, now - reportDelayMs);
  const seenOf = async (version: string): Promise<{ readonly statuses: Counts; readonly died: StoredSample }> => {
    const readName = (name: string) => readSample(env, frontName, name, since, until);
    const [statuses, died] = await Promise.all([readName(throughFront(version)), readName(diedInFront(version))]);
    return { statuses: totals(statuses), died };
  };
  const [own, stable, canary, ...gates] = await Promise.all([
    read(frontName, versions.stable, versions.canary),
    seenOf(versions.stable),
    seenOf(versions.canary),
    ...Object.keys(tiers).map((tier) => read(tier, throughFront(versions.stable), throughFront(versions.canary))),
  ]);
  const sum = sumOfUnits([own, ...gates]);
  const missing = {
    stable: unreportedIn(stable.statuses, sum.stable, totals(stable.died).requests),
    canary: unreportedIn(canary.statuses, sum.canary, totals(canary.died).requests),
  };
  const unit = unitOf(missing, query);
  const witnessed = { stable: stable.statuses.requests, canary: canary.statuses.requests };
  return {
    ...sum,
    units: unit ? [...sum.units, unit] : sum.units,
    stable: withUnreported(sum.stable, missing.stable),
    canary: withUnreported(sum.canary, missing.canary),
    ...(witnessed.stable + witnessed.canary > 0 && { witnessed }),
  };
};

/** The totals of a version, for display. */
export const frontSample = async (
  env: Telemetry,
  { tiers }: Tiers,
  version: string,
  since: number,
  until: number,
): Promise<StoredSample> => {
  const [own, seen, ...gates] = await Promise.all([
    readSample(env, frontName, version, since, until),
    readSample(env, frontName, throughFront(version), since, until),
    ...Object.keys(tiers).map((tier) => readSample(env, tier, throughFront(version), since, until)),
  ]);
  const counted = gates.reduce(sumOfSamples, own);
  return withUnreported(counted, unreportedIn(totals(seen), counted, 0));
};

const readSample = (
  env: Telemetry,
  object: string,
  name: string,
  since: number,
  until: number,
): Promise<StoredSample> => objectOf(env.TELEMETRY, object).between(name, since, until);

type Counts = Pick<Group, "requests" | "errors" | "refusals">;

/** Failures that the tail alone saw. */
interface Unreported extends Counts {
  /** Errors of requests that died in the front. */
  readonly faults: number;
}

/**
 * Some reports of gates are lost, with what their clients caused. So few of those that were counted are not the front's
 * doing, and no client may be taken for it by them.
 */
const usuallyLost = 0.1;

const unreportedIn = (seen: Counts, counted: Sample, died: number): Unreported => {
  const all = totals(counted);
  const missing = (key: "errors" | "refusals") =>
    Math.max(0, seen[key] - all[key] - Math.floor(usuallyLost * all[key]));
  const [errors, refusals] = [missing("errors"), missing("refusals")];
  // A gate may have counted the request as a good one, before the front failed.
  const requests = Math.min(errors + refusals, Math.max(0, seen.requests - all.requests));
  return { requests, errors, refusals, faults: Math.min(errors, died) };
};

const withUnreported = (counted: StoredSample, { requests, errors, refusals }: Unreported): StoredSample => {
  if (errors + refusals === 0) return counted;
  const group = { ...noRequests, requests, errors, refusals, latency: [] };
  const sum = sumOfSamples(counted, sampleOfTotals(group));
  return { ...sum, causes: [...(counted.causes ?? []), ...unreportedAsCauses({ errors, refusals })] };
};

/** Nobody knows the users, so each request is a unit of its own. */
const unitOf = (
  missing: Readonly<Record<Side, Unreported>>,
  { settling, bounds }: Pick<StageQuery, "settling" | "bounds">,
): StageSummary | undefined => {
  if (missing.stable.errors + missing.stable.refusals + missing.canary.errors + missing.canary.refusals === 0)
    return undefined;
  const evidence = new StageEvidence(settling);
  for (const side of ["stable", "canary"] as const) {
    const counts = new Float64Array(measures.length);
    for (const key of ["requests", "errors", "refusals", "faults"] as const) counts[indexOf[key]] = missing[side][key];
    evidence.add(side, settling.requests, firstOf.dealt, counts);
  }
  evidence.close(0);
  return evidence.summary(bounds);
};

const totals = ({ groups: all }: Sample): Counts =>
  Object.values(all).reduce(
    (sum, { requests, errors, refusals }) => ({
      requests: sum.requests + requests,
      errors: sum.errors + errors,
      refusals: sum.refusals + refusals,
    }),
    { requests: 0, errors: 0, refusals: 0 },
  );
