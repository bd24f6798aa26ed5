/**
 * `release.steps: auto`: chooses the steps of a release by the tier's traffic, before it starts. It depends on nothing else, so no
 * result of a version moves them.
 */
import { milliseconds } from "../../gateway/core/quantities.ts";
import { criteriaOf } from "../model/criteria.ts";
import { explicitSteps } from "../model/release.ts";
import type { ReleaseConfig, StepConfig } from "../model/release-config.ts";
import { passesAfter } from "./passing.ts";
import type { TrafficEstimate } from "./traffic.ts";

/** Shares of the first judged step, in per cent. */
const firstShares = [1, 2, 5, 10, 20] as const;
/** A step has so many times the users of the step before, up to half of all. So there are four judged steps at most. */
const growth = 5;
const lastShare = 50;
const minute = 60_000;
/** The longest bake that is chosen. With four judged steps, all users have the version after two hours. */
const maxBakeMs = 30 * minute;

/**
 * The release with steps as a manifest has them. The first judged share is the smallest at which a version that changes nothing
 * passes within half an hour, or within the release's bake if that is longer; at too little traffic, the largest one. Each step is
 * baked until such a version passes, and never shorter than the release's bake.
 *
 * @param traffic null if it is unknown: then the default steps
 */
export const withSteps = (
  release: ReleaseConfig,
  traffic: TrafficEstimate | null,
): ReleaseConfig & { readonly steps: readonly StepConfig[] } => ({
  ...release,
  steps: release.steps === "auto" && traffic ? chosenSteps(release, traffic) : explicitSteps(release.steps),
});

const chosenSteps = (release: ReleaseConfig, traffic: TrafficEstimate): readonly StepConfig[] => {
  const context = { traffic, criteria: criteriaOf(release) };
  const bakeMs = milliseconds(release.bake);
  const bakeAt = (share: number) => passesAfter(context, share / 100, bakeMs, Math.max(maxBakeMs, bakeMs));
  const first = firstShares.find((share) => bakeAt(share) !== null) ?? Math.max(...firstShares);
  return ["0%", ...sharesFrom(first).map((share) => stepConfig(share, bakeAt(share), bakeMs)), "100%"];
};

const sharesFrom = (first: number): number[] =>
  first >= lastShare ? [lastShare] : [first, ...sharesFrom(first * growth)];

/** A step that does not pass keeps the release's bake: it waits for evidence, and then for a person. */
const stepConfig = (share: number, bakeMs: number | null, usualMs: number): StepConfig =>
  bakeMs === null || bakeMs <= usualMs
    ? `${share}%`
    : { share: `${share}%`, bake: `${Math.min(maxBakeMs, Math.ceil(bakeMs / minute) * minute) / minute}m` };
