/** Alerts of a rollout: failures that control reports and does not act on. */
import type { Rollout } from "./rollout.ts";

/** The alerts as a sentence, with the reason why control does not act; empty without alerts. */
export const alertText = ({ alerts = [], foreign }: Pick<Rollout, "alerts" | "foreign">): string =>
  alerts.length === 0
    ? ""
    : `${alerts.map(({ why }) => why).join("; ")}; control does not act: ${foreign ? "someone else decided the split" : "no users are left on the stable version to compare with"}`;
