/** Gathers what the telemetry of a tier knows of a rollout. */

import type { Side } from "../../gateway/core/types.ts";
import type { Sample } from "../../gateway/observability/samples.ts";
import { oldMs } from "../../gateway/overlay/overlay.ts";
import { sideKey } from "../../gateway/service/cutover.ts";
import type { ControlPlan } from "../model/plan.ts";
import type { Rollout, Stretch } from "../model/rollout.ts";
import { tiersServed } from "../model/shared-gates.ts";
import { subjectIn } from "../model/subject.ts";
import type { Stage } from "../rollout/evidence.ts";
import { type Measured, measuredOf } from "../rollout/measurement.ts";
import { objectOf } from "../rpc/objects.ts";
import { sum } from "../telemetry/samples.ts";
import type { Bindings } from "./bindings.ts";

/** Reports of the last split still come in for so long. */
const settlingMs = 4000;

/** Both versions at the same time, all Workers of the tier together; of a shared one all tiers that it serves. */
export const evidenceOf = async (
  env: Telemetry,
  plan: Tiers,
  it: Rollout,
  stretch: Stretch,
  now: number,
): Promise<Stage> => {
  const settling = subjectIn(it.tier).route === null ? settlingMs : settlingMs + oldMs;
  const since = Math.min(stretch.since + settling, stretch.until ?? now);
  const until = stretch.until ?? now;
  const of = (which: Which) => sampleOf(env, plan, it, which, since, until);
  const [stable, canary] = await Promise.all([of("stable"), of("canary")]);
  return { share: stretch.share / 100, since, until, stable, canary };
};

/** What both did so far, and how many requests the new version has had. */
export const measuredBy = async (env: Telemetry, plan: Tiers, it: Rollout, now: number): Promise<Measured> => {
  const compared = it.stretches.filter(({ share }) => share > 0 && share < 100);
  const [exposed, ...stages] = await Promise.all([
    sampleOf(env, plan, it, "canary", it.startedAt, it.endedAt === null ? now : it.endedAt + settlingMs),
    ...compared.map((stretch) => evidenceOf(env, plan, it, stretch, now)),
  ]);
  return measuredOf(stages, exposed);
};

type Telemetry = Pick<Bindings, "TELEMETRY">;
type Tiers = Pick<ControlPlan, "tiers">;
type Which = "stable" | "canary";

const sampleOf = async (
  env: Telemetry,
  plan: Tiers,
  { tier: name, subjects }: Rollout,
  which: Which,
  since: number,
  until: number,
): Promise<Sample> => {
  const { route } = subjectIn(name);
  const samples = await Promise.all(
    subjects.flatMap((subject) => {
      const version = route === null ? subject[which] : sideKey(route, subject[which] as Side);
      const served = tiersServed(plan, name, subject.worker);
      return served.map((tier) => objectOf(env.TELEMETRY, tier).between(version, since, until));
    }),
  );
  return samples.reduce(sum);
};
