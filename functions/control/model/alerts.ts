/** Alerts of a rollout: failures that control reports and does not act on. */
import type { Alert, Rollout } from "./rollout.ts";

/** The alerts as a sentence, with the reason why control does not act; empty without alerts. */
export const alertText = ({ alerts = [], foreign }: Pick<Rollout, "alerts" | "foreign">): string =>
  alerts.length === 0
    ? ""
    : `${alerts.map(({ why }) => why).join("; ")}; control does not act: ${reasonOf(alerts, foreign)}`;

const reasonOf = (alerts: readonly Alert[], foreign: boolean): string => {
  if (foreign) return "someone else decided the split";
  return alerts.every(({ held }) => held)
    ? "it is no proof, and a person decides"
    : "no users are left on the stable version to compare with";
};
