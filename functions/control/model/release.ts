/** Converts a manifest's `release` into the settings of a rollout. */
import { milliseconds, share } from "../../gateway/core/quantities.ts";
import { defaultSteps, release as manifestRelease } from "../../manifest/release.ts";
import type { TierFacts } from "./plan.ts";
import { Refusal } from "./refusal.ts";
import type { ReleaseConfig, StepConfig } from "./release-config.ts";
import type { RolloutStep } from "./rollout.ts";

/** The schema of a manifest's `release`, with its defaults; the admin API accepts the same. */
export const release = manifestRelease().superRefine((it, context) => {
  const problem = stepsProblem(it.steps);
  if (problem)
    context.addIssue({ code: "custom", path: ["steps", problem.at], message: `${problem.why}; ${problem.remedy}` });
  const unfit = watchProblem(it);
  if (unfit) context.addIssue({ code: "custom", path: ["watch"], message: `${unfit.why}; ${unfit.remedy}` });
});

/**
 * The `release` of a tier in control's plan. Another release of postern may have written the plan.
 * @throws Refusal if it is invalid
 */
export const releaseOf = (tier: string, facts: Pick<TierFacts, "release">): ReleaseConfig => {
  const read = release.safeParse(facts.release);
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: "" }] = read.error.issues;
  throw new Refusal(
    `the release of ${tier}, as control knows it, does not hold: ${["release", ...path].join(".")}: ${message}; npx postern deploy control`,
  );
};

/** The evidence timeout, as a multiple of the bake. */
const evidenceTimeoutBakes = 12;

/** The steps as written. `auto` has the default ones until its traffic is known. */
export const explicitSteps = (steps: ReleaseConfig["steps"]): readonly StepConfig[] =>
  steps === "auto" ? defaultSteps : steps;

export const stepsOf = ({ steps, bake, watch }: Pick<ReleaseConfig, "steps" | "bake" | "watch">): RolloutStep[] =>
  withWatch(
    explicitSteps(steps).map((step) => {
      const it = typeof step === "string" ? { share: step } : step;
      return { share: percentOf(it.share), bakeMs: milliseconds(it.bake ?? bake), hold: it.hold ?? false };
    }),
    watchOf(watch),
  );

/** The platform splits by hundredths of a per cent. */
const percentOf = (text: string): number => Math.round(share(text) * 10_000) / 100;

/** By default so many users stay on the stable version during a watch. */
const defaultHoldBack = "5%";

/** @returns the time in milliseconds and the hold-back in per cent; undefined without a watch */
export const watchOf = (
  watch: ReleaseConfig["watch"],
): { readonly ms: number; readonly holdBack: number } | undefined => {
  if (watch === undefined) return undefined;
  const it = typeof watch === "string" ? { for: watch, "hold-back": defaultHoldBack } : watch;
  const ms = milliseconds(it.for);
  return ms > 0 ? { ms, holdBack: percentOf(it["hold-back"]) } : undefined;
};

/** The watch is a step of its own: ahead of all users where some are held back, else it is the last one. */
const withWatch = (steps: readonly RolloutStep[], watch: ReturnType<typeof watchOf>): RolloutStep[] => {
  if (!watch) return [...steps];
  const { ms, holdBack } = watch;
  const watched: RolloutStep = { share: 100 - holdBack, bakeMs: ms, hold: false, watch: true };
  return [...steps.slice(0, -1), watched, ...(holdBack > 0 ? steps.slice(-1) : [])];
};

/** @returns what is wrong with the watch; undefined if every step has room beside the hold-back */
export const watchProblem = ({
  steps,
  watch,
}: Pick<ReleaseConfig, "steps" | "watch">): { readonly why: string; readonly remedy: string } | undefined => {
  const { holdBack = 0 } = watchOf(watch) ?? {};
  const [before = "0%"] = explicitSteps(steps)
    .slice(-2, -1)
    .map((step) => (typeof step === "string" ? step : step.share));
  return percentOf(before) + holdBack <= 100
    ? undefined
    : {
        why: `a hold-back of ${holdBack} % would take users back who got the new version at ${before}`,
        remedy: `hold back ${Math.max(0, Math.round((100 - percentOf(before)) * 100) / 100)}% at most, or end the steps before it: [..., 50%, 100%]`,
      };
};

/** @returns what is wrong with the steps as a whole; undefined if they rise and end at 100 % */
export const stepsProblem = (
  steps: ReleaseConfig["steps"],
): { readonly at: number; readonly why: string; readonly remedy: string } | undefined => {
  const shareTexts = explicitSteps(steps).map((step) => (typeof step === "string" ? step : step.share));
  const shares = shareTexts.map(share);
  const falls = shares.findIndex((it, index) => index > 0 && it <= (shares[index - 1] ?? 0));
  if (falls > 0)
    return {
      at: falls,
      why: `${shareTexts[falls]} is not larger than ${shareTexts[falls - 1]}`,
      remedy: "write the steps in ascending order",
    };
  return shares.at(-1) === 1
    ? undefined
    : {
        at: shareTexts.length - 1,
        why: `the last step is ${shareTexts.at(-1)}, so a release would never end`,
        remedy: "end with 100%",
      };
};

export const evidenceTimeoutMs = ({ bake }: ReleaseConfig): number => evidenceTimeoutBakes * milliseconds(bake);

/** A rollout's settings from a manifest's `release`. */
export const rolloutSettings = (release: ReleaseConfig) => ({
  steps: stepsOf(release),
  patienceMs: evidenceTimeoutMs(release),
  tolerate: release.tolerate,
  limits: release.limits,
  queries: release.queries,
  smoke: release.smoke ?? [],
  drainMs: milliseconds(release.drain ?? "0s"),
});
