/** Gathers what the telemetry of a tier knows of a rollout. */
import { sideKey } from "../../gateway/cutover.ts";
import { oldMs } from "../../gateway/overlay.ts";
import type { Sample } from "../../gateway/telemetry-samples.ts";
import type { Side } from "../../gateway/types.ts";
import type { Bindings } from "../bindings.ts";
import { subjectIn } from "../cutovers.ts";
import { remote } from "../namespaces.ts";
import { sum } from "../telemetry/samples.ts";
import type { Stage } from "./evidence.ts";
import { type Measured, measuredOf } from "./measured.ts";
import type { Rollout, Stretch } from "./state.ts";

/** Reports of the last split still come in for so long. */
const settlingMs = 4000;

/** Both versions at the same time, all Workers of the tier together. */
export const evidenceOf = async (env: Telemetry, it: Rollout, stretch: Stretch, now: number): Promise<Stage> => {
  const settling = subjectIn(it.tier).route === null ? settlingMs : settlingMs + oldMs;
  const since = Math.min(stretch.since + settling, stretch.until ?? now);
  const until = stretch.until ?? now;
  const of = (which: Which) => sampleOf(env, it, which, since, until);
  const [stable, canary] = await Promise.all([of("stable"), of("canary")]);
  return { share: stretch.share / 100, since, until, stable, canary };
};

/** What both did so far, and how many requests the new version has had. */
export const measuredBy = async (env: Telemetry, it: Rollout, now: number): Promise<Measured> => {
  const compared = it.stretches.filter(({ share }) => share > 0 && share < 100);
  const [exposed, ...stages] = await Promise.all([
    sampleOf(env, it, "canary", it.startedAt, it.endedAt === null ? now : it.endedAt + settlingMs),
    ...compared.map((stretch) => evidenceOf(env, it, stretch, now)),
  ]);
  return measuredOf(stages, exposed);
};

type Telemetry = Pick<Bindings, "TELEMETRY">;
type Which = "stable" | "canary";

const sampleOf = async (env: Telemetry, it: Rollout, which: Which, since: number, until: number): Promise<Sample> => {
  const { tier, route } = subjectIn(it.tier);
  const store = remote(env.TELEMETRY, tier);
  const countedAs = (version: string) => (route === null ? version : sideKey(route, version as Side));
  const samples = await Promise.all(
    it.subjects.map((subject) => store.between(countedAs(subject[which]), since, until)),
  );
  return samples.reduce(sum);
};
