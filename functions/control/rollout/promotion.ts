/** What a promotion would do without. */
import type { Rollout } from "../model/rollout.ts";

/** @returns which evidence for the next step is missing, as a sentence; undefined if the verdict passes */
export const evidenceGap = ({
  verdict,
  goal,
  steps,
  step,
  smoked,
}: Pick<Rollout, "verdict" | "goal" | "steps" | "step" | "smoked">): string | undefined => {
  if (verdict?.verdict === "fail") return `the new version fails: ${listOf(verdict.findings, "fail")}`;
  // The watch ends with all users, whatever the evidence.
  if (verdict?.verdict === "pass" || steps[step]?.watch) return undefined;
  const share = Math.max(0, goal.share);
  if (share === 0) return smoked ? undefined : "the smoke test has not passed";
  if (verdict?.verdict === "hold")
    return `something speaks against the new version, though it is no proof: ${listOf(verdict.findings, "hold")}`;
  return `there is not enough evidence that the new version is no worse, at ${share} % of users${verdict ? `: ${listOf(verdict.findings, "not-enough")}` : ""}`;
};

/** What to warn of before a promotion; undefined if there is nothing. */
export const promotionWarning = (it: Rollout): string | undefined => {
  const overwritten = it.foreign ? `${it.why}, which a promotion overwrites` : undefined;
  return [overwritten, evidenceGap(it)].flatMap((text) => text ?? []).join("; ") || undefined;
};

const listOf = (
  findings: NonNullable<Rollout["verdict"]>["findings"],
  verdict: "fail" | "hold" | "not-enough",
): string =>
  findings
    .filter((finding) => finding.verdict === verdict)
    .map(({ why }) => why)
    .join("; ");
