/** Telemetry objects that hold samples by name, and answer about stages from them. */
import { indexOf, measures, type Side } from "../../functions/control/stats/measures.ts";
import { StageEvidence } from "../../functions/control/stats/stage-evidence.ts";
import { emptySample, type StoredSample } from "../../functions/control/telemetry/counts/samples.ts";
import type { StageQuery } from "../../functions/control/telemetry/evidence/stage-table.ts";
import type { UnitEvidence } from "../../functions/control/telemetry/evidence/stages.ts";

/**
 * Groups of users stand for clusters.
 *
 * @param stored samples by object and name: `wallet v1`
 */
export const telemetryWith = (stored: Readonly<Record<string, StoredSample>>) => {
  const read: string[] = [];
  const queries: StageQuery[] = [];
  /** By object and name, of the last call. */
  const periods = new Map<string, readonly [since: number, until: number]>();
  const sampleOf = (object: string, name: string): StoredSample => {
    read.push(`${object} ${name}`);
    return stored[`${object} ${name}`] ?? emptySample;
  };
  const TELEMETRY = {
    getByName: (object: string) => ({
      between: async (name: string, since: number, until: number) => {
        periods.set(`${object} ${name}`, [since, until]);
        return sampleOf(object, name);
      },
      evidence: async (query: StageQuery): Promise<UnitEvidence> => {
        queries.push(query);
        const [stable, canary] = [sampleOf(object, query.stable), sampleOf(object, query.canary)];
        return { summary: summaryOf({ stable, canary }, query), stable, canary };
      },
    }),
  };
  return { env: { TELEMETRY } as never, read, queries, periods };
};

const summaryOf = (samples: Readonly<Record<Side, StoredSample>>, { settling, bounds }: StageQuery) => {
  const evidence = new StageEvidence(settling);
  for (const side of ["stable", "canary"] as const)
    for (const [group, it] of Object.entries(samples[side].groups)) {
      const counts = new Float64Array(measures.length);
      for (const key of ["requests", "errors", "refusals", "abandoned"] as const) counts[indexOf[key]] = it[key];
      evidence.add(side, 1e9, Number(group), counts);
    }
  evidence.close(0);
  return evidence.summary(bounds);
};
