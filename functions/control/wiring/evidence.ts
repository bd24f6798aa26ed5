/** Reads the evidence of a rollout from the telemetry of its tiers. */

import { frontName } from "../../front/front-name.ts";
import type { CutoverSide } from "../../gateway/core/types.ts";
import { maxFeedAgeMs } from "../../gateway/overlay/overlay.ts";
import { sideKey } from "../../gateway/service/cutover.ts";
import { criteriaOf } from "../model/criteria.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout, Stretch, Subject } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { parseSubject } from "../model/subject.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Side } from "../stats/measures.ts";
import { binsOf } from "../stats/percentile.ts";
import type { Cause } from "../telemetry/counts/causes.ts";
import { type StoredSample, sumOfSamples } from "../telemetry/counts/samples.ts";
import { reportDelayMs } from "../telemetry/evidence/cell-table.ts";
import type { StageQuery } from "../telemetry/evidence/stage-table.ts";
import type { UnitEvidence } from "../telemetry/evidence/stages.ts";
import type { Stage } from "../verdict/evidence.ts";
import { type Measurement, measurementOf } from "../verdict/measurement.ts";
import type { Bindings } from "./bindings.ts";
import { frontEvidence, frontSample } from "./front-evidence.ts";
import { type EvidenceSum, sumOfUnits } from "./units.ts";

/** Caches and pools of a new version are cold, and the latency of its first minutes says nothing. */
const maxLatencySettleMs = 120_000;
/** A long stage is read again in parts, after the telemetry object has been restarted. */
const maxReads = 30;

/** What both versions met during a period, over all Workers of the tier; for a shared Worker over all its tiers. */
export const evidenceOf = async (
  env: Telemetry,
  plan: Tiers,
  it: Rollout,
  stretch: Stretch,
  now: number,
  bounds = true,
): Promise<Stage> => {
  const { share, most, until } = stretch;
  // Gates learn of a cutover's split from the overlay.
  const isCutover = parseSubject(it.tier).route !== null;
  const since = stretch.since + (isCutover ? maxFeedAgeMs : 0);
  const { tolerate, settleMs } = criteriaOf(it);
  const query = {
    ...{ since, until, bounds, isOneRoute: isCutover || it.tier === frontName },
    stretch: binsOf(1 + tolerate.p99),
    settling: { requests: settleMs, latency: latencySettleMs(it, share, settleMs) },
  };
  const read = (object: string, stable: string, canary: string): Promise<UnitEvidence> =>
    readUnit(env, object, { ...query, stable, canary });
  const found = await (it.tier === frontName
    ? frontEvidence(env, plan, it.subjects[0] ?? { stable: "", canary: "" }, query, read, now)
    : gateEvidence(plan, it, read));
  const end = until ?? now;
  return {
    ...{ share: share / 100, since: Math.min(since, end), until: end },
    ...(most !== undefined && { most: most / 100 }),
    ...found,
  };
};

/** A short step leaves half of its bake to measure in. */
const latencySettleMs = ({ steps }: Rollout, share: number, least: number): number => {
  const bakeMs = steps.find((step) => step.share === share)?.bakeMs ?? Number.POSITIVE_INFINITY;
  return Math.min(maxLatencySettleMs, Math.max(least, bakeMs / 2));
};

/** @throws if there is so much that it takes longer */
const readUnit = async (env: Telemetry, object: string, query: StageQuery): Promise<UnitEvidence> => {
  for (let read = 0; read < maxReads; read++) {
    const found = await objectOf(env.TELEMETRY, object).evidence(query);
    if (found) return found;
  }
  throw new Error(`the evidence of ${object} is still being read again`);
};

const gateEvidence = async (
  plan: Tiers,
  { tier: name, subjects }: Rollout,
  read: (object: string, stable: string, canary: string) => Promise<UnitEvidence>,
): Promise<EvidenceSum> => {
  const units = await Promise.all(
    subjects.flatMap((subject) =>
      tiersServed(plan, name, subject.worker).map(async (tier) => {
        const unit = await read(tier, versionOf(name, subject, "stable"), versionOf(name, subject, "canary"));
        return { ...unit, stable: withTier(unit.stable, tier), canary: withTier(unit.canary, tier) };
      }),
    ),
  );
  return sumOfUnits(units);
};

/** Measurements of both versions so far, and how many requests the new version has served. */
export const measureRollout = async (env: Telemetry, plan: Tiers, it: Rollout, now: number): Promise<Measurement> => {
  const compared = it.stretches.filter(({ share }) => share > 0 && share < 100);
  const [exposed, ...stages] = await Promise.all([
    sampleOf(env, plan, it, "canary", it.startedAt, it.endedAt === null ? now : it.endedAt + reportDelayMs),
    ...compared.map((stretch) => evidenceOf(env, plan, it, stretch, now, false)),
  ]);
  return measurementOf(stages, exposed);
};

type Telemetry = Pick<Bindings, "TELEMETRY">;
type Tiers = Pick<ControlPlan, "tiers">;
type VersionRole = Side;

const sampleOf = async (
  env: Telemetry,
  plan: Tiers,
  { tier: name, subjects }: Rollout,
  role: VersionRole,
  since: number,
  until: number,
): Promise<StoredSample> => {
  if (name === frontName) return frontSample(env, plan, subjects[0]?.[role] ?? "", since, until);
  const samples = await Promise.all(
    subjects.flatMap((subject) =>
      tiersServed(plan, name, subject.worker).map((tier) =>
        objectOf(env.TELEMETRY, tier).between(versionOf(name, subject, role), since, until),
      ),
    ),
  );
  return samples.reduce(sumOfSamples);
};

/** The name under which gates report a version; of a cutover, a gateway. */
const versionOf = (name: string, subject: Subject, role: VersionRole): string => {
  const { route } = parseSubject(name);
  return route === null ? subject[role] : sideKey(route, subject[role] as CutoverSide);
};

const withTier = ({ causes, ...sample }: StoredSample, tier: string): StoredSample => ({
  ...sample,
  ...(causes && { causes: causes.map((it) => ofTier(it, tier)) }),
});

/** Names a cause's route with its tier: a shared Worker serves several. */
const ofTier = (it: Cause, tier: string): Cause => ({ ...it, route: it.route === "" ? tier : `${tier}/${it.route}` });
