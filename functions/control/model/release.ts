/** Converts a manifest's `release` into the settings of a rollout. */
import { milliseconds, share } from "../../gateway/core/quantities.ts";
import { release as manifestRelease } from "../../manifest/release.ts";
import type { TierFacts } from "./plan.ts";
import { Refusal } from "./refusal.ts";
import type { ReleaseConfig } from "./release-config.ts";
import type { RolloutStep } from "./rollout.ts";

/** The schema of a manifest's `release`, with its defaults; the admin API accepts the same. */
export const release = manifestRelease().superRefine(({ steps }, context) => {
  const problem = stepsProblem(steps);
  if (problem)
    context.addIssue({ code: "custom", path: ["steps", problem.at], message: `${problem.why}; ${problem.remedy}` });
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

export const stepsOf = ({ steps, bake }: ReleaseConfig): RolloutStep[] =>
  steps.map((step) => {
    const it = typeof step === "string" ? { share: step } : step;
    return {
      // The platform splits by hundredths of a per cent.
      share: Math.round(share(it.share) * 10_000) / 100,
      bakeMs: milliseconds(it.bake ?? bake),
      hold: it.hold ?? false,
    };
  });

/** @returns what is wrong with the steps as a whole; undefined if they rise and end at 100 % */
export const stepsProblem = (
  steps: ReleaseConfig["steps"],
): { readonly at: number; readonly why: string; readonly remedy: string } | undefined => {
  const shareTexts = steps.map((step) => (typeof step === "string" ? step : step.share));
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
        at: steps.length - 1,
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
