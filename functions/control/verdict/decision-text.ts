/** The sentences of decisions: why the new version failed, is held, waits or is given up. Those of findings are in `verdict-text.ts`. */
import type { EvidenceNeeds, Finding, Verdict } from "../model/finding.ts";
import { duration } from "./format.ts";
import { clauses, neededText } from "./verdict-text.ts";

/** The criterion's name for people. */
export const criterionName = ({ criterion, query }: Pick<Finding, "criterion" | "query">): string =>
  query ? `query ${query.name}` : criterion.replaceAll("-", " ");

/** Why the new version failed: the first failing criterion in full, the others by name. */
export const failureText = ({ findings }: Verdict): string => {
  const [first, ...others] = findings.filter(({ verdict }) => verdict === "fail");
  if (!first) return "the verdict is a failure";
  return clauses(first.why, others.length === 0 ? "" : `also failing: ${namesOf(others)}`);
};

/** Why a person has to decide. */
export const holdText = ({ findings }: Verdict, share: number): string => {
  const [first, ...others] = findings.filter(({ verdict }) => verdict === "hold");
  return clauses(
    `held at ${share} %${first ? `: ${first.why}` : ""}`,
    others.length === 0 ? "" : `also: ${namesOf(others)}`,
  );
};

/** What keeps the rollout from the next step. It changes only with the criteria, not with their figures. */
export const waitingText = (verdict: Verdict | null): string => {
  const held = (verdict?.findings ?? []).filter((it) => it.verdict === "hold");
  if (held.length > 0)
    return `the bake is over; held by ${namesOf(held)}: it rolls back if clients confirm it whom nobody can imitate, and else pauses after one more bake`;
  const names = openNames(verdict);
  return `the bake is over, but there is not enough evidence yet${names ? ` about ${names}` : ""}`;
};

/** Why there is no verdict. @param ms how long the step has lasted */
export const timeoutText = (verdict: Verdict | null, ms: number, share: number): string => {
  const begin = `not enough evidence after ${duration(ms)} at ${share} %`;
  const never = openOf(verdict).find(({ needs }) => needs === null);
  if (never) return `${begin}: ${never.why}`;
  const names = openNames(verdict);
  return clauses(begin, neededText(mostNeeded(verdict)), names && `open: ${names}`);
};

const openNames = (verdict: Verdict | null): string => {
  const open = openOf(verdict);
  return open.length > 1 && open.length === verdict?.findings.length ? "every criterion" : namesOf(open);
};

/** The criterion that needs most decides when a verdict can pass. Null if one does not pass at its present rates. */
export const mostNeeded = (verdict: Verdict | null): EvidenceNeeds | null | undefined => {
  const all = openOf(verdict).map(({ needs }) => needs);
  if (all.includes(null)) return null;
  return all.toSorted((a, b) => (b?.requests ?? -1) - (a?.requests ?? -1))[0];
};

const openOf = (verdict: Verdict | null): readonly Finding[] =>
  (verdict?.findings ?? []).filter((it) => it.verdict === "not-enough");

const namesOf = (findings: readonly Finding[]): string => [...new Set(findings.map(criterionName))].join(", ");
