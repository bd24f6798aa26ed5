/** Reads the evidence of a rollout from the telemetry of its tiers. */

import { frontName } from "../../front/front-name.ts";
import type { CutoverSide } from "../../gateway/core/types.ts";
import { maxFeedAgeMs } from "../../gateway/overlay/overlay.ts";
import { sideKey } from "../../gateway/service/cutover.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout, Stretch } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { parseSubject } from "../model/subject.ts";
import { objectOf } from "../rpc/objects.ts";
import type { Cause } from "../telemetry/causes.ts";
import { type StoredSample, sumOfSamples } from "../telemetry/samples.ts";
import { deathsOf, larger, observers } from "../telemetry/store.ts";
import type { Stage } from "../verdict/evidence.ts";
import { type Measurement, measurementOf } from "../verdict/measurement.ts";
import type { Bindings } from "./bindings.ts";
import { frontDeaths, frontSample } from "./front-evidence.ts";

/** Delay of reports: those of the previous split still arrive for this long. */
const reportDelayMs = 4000;

/** The samples of both versions during a period, over all Workers of the tier; for a shared Worker over all its tiers. */
export const evidenceOf = async (
  env: Telemetry,
  plan: Tiers,
  it: Rollout,
  stretch: Stretch,
  now: number,
): Promise<Stage> => {
  const settleMs = parseSubject(it.tier).route === null ? reportDelayMs : reportDelayMs + maxFeedAgeMs;
  const since = Math.min(stretch.since + settleMs, stretch.until ?? now);
  const until = stretch.until ?? now;
  const sampleFor = (role: VersionRole) => sampleOf(env, plan, it, role, since, until);
  const [stable, canary, deaths] = await Promise.all([
    sampleFor("stable"),
    sampleFor("canary"),
    stretch.share < 100 ? undefined : deathsBetween(env, plan, it, since, until),
  ]);
  void deaths;
  return { share: stretch.share / 100, since, until, units: [], stable, canary };
};

/** Measurements of both versions so far, and how many requests the new version has served. */
export const measureRollout = async (env: Telemetry, plan: Tiers, it: Rollout, now: number): Promise<Measurement> => {
  const compared = it.stretches.filter(({ share }) => share > 0 && share < 100);
  const [exposed, ...stages] = await Promise.all([
    sampleOf(env, plan, it, "canary", it.startedAt, it.endedAt === null ? now : it.endedAt + reportDelayMs),
    ...compared.map((stretch) => evidenceOf(env, plan, it, stretch, now)),
  ]);
  return measurementOf(stages, exposed);
};

type Telemetry = Pick<Bindings, "TELEMETRY">;
type Tiers = Pick<ControlPlan, "tiers">;
type VersionRole = "stable" | "canary";

/** The canary's requests whose gate died. Both observers see the same ones, so the larger count is used. */
const deathsBetween = async (
  env: Telemetry,
  plan: Tiers,
  { tier: name, subjects }: Rollout,
  since: number,
  until: number,
): Promise<StoredSample> => {
  if (name === frontName) return frontDeaths(env, subjects[0]?.canary ?? "", since, until);
  const samples = await Promise.all(
    subjects.flatMap(({ worker, canary }) =>
      tiersServed(plan, name, worker).map(async (tier) => {
        const store = objectOf(env.TELEMETRY, tier);
        const seen = await Promise.all(observers.map((it) => store.between(deathsOf(it, canary), since, until)));
        return seen.reduce(larger);
      }),
    ),
  );
  return samples.reduce(sumOfSamples);
};

const sampleOf = async (
  env: Telemetry,
  plan: Tiers,
  { tier: name, subjects }: Rollout,
  role: VersionRole,
  since: number,
  until: number,
): Promise<StoredSample> => {
  if (name === frontName) return frontSample(env, plan, subjects[0]?.[role] ?? "", since, until);
  const { route } = parseSubject(name);
  const samples = await Promise.all(
    subjects.flatMap((subject) => {
      const version = route === null ? subject[role] : sideKey(route, subject[role] as CutoverSide);
      const served = tiersServed(plan, name, subject.worker);
      return served.map(async (tier) => {
        const sample = await objectOf(env.TELEMETRY, tier).between(version, since, until);
        return { ...sample, ...(sample.causes && { causes: sample.causes.map((it) => ofTier(it, tier)) }) };
      });
    }),
  );
  return samples.reduce(sumOfSamples);
};

/** Names a cause's route with its tier: a shared Worker serves several. */
const ofTier = (it: Cause, tier: string): Cause => ({ ...it, route: it.route === "" ? tier : `${tier}/${it.route}` });
