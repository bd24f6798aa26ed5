/** Adds what the telemetry of several tiers knows of a stage. */

import { sumOfSamples } from "../telemetry/counts/samples.ts";
import type { UnitEvidence } from "../telemetry/evidence/stages.ts";
import type { Stage } from "../verdict/evidence.ts";

/** The evidence of a stage, from all tiers. Its summaries stay apart, because a sum would need the counts of each cluster. */
export type EvidenceSum = Pick<Stage, "units" | "stable" | "canary" | "witnessed">;

export const sumOfUnits = (units: readonly UnitEvidence[]): EvidenceSum => {
  const seen = units.flatMap(({ witnessed }) => witnessed ?? []);
  const sumOf = (side: "stable" | "canary") => seen.reduce((sum, it) => sum + it[side], 0);
  return {
    units: units.map(({ summary }) => summary),
    stable: units.map(({ stable }) => stable).reduce(sumOfSamples),
    canary: units.map(({ canary }) => canary).reduce(sumOfSamples),
    ...(seen.length > 0 && { witnessed: { stable: sumOf("stable"), canary: sumOf("canary") } }),
  };
};
