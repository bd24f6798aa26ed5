/**
 * What control's store of telemetry does to reports: after some minutes it merges them by whole minutes. A minute in which
 * the split changed then belongs to the step before, with all its requests.
 */
import { coarseMs, fineRetentionMs } from "../../functions/control/telemetry/store.ts";
import { addCounts, emptyCounts, type VersionCounts } from "./traffic.ts";

export interface SplitCounts {
  readonly stable: VersionCounts;
  readonly canary: VersionCounts;
}

interface StoredSplit extends SplitCounts {
  /** What was reported in the minute of the split. */
  readonly border: SplitCounts;
  /** Seconds, when that minute began. */
  readonly minute: number;
  /** At once if the split was made as a minute began. */
  merged: boolean;
}

const emptySplit = (): SplitCounts => ({ stable: emptyCounts(), canary: emptyCounts() });
const minuteSeconds = coarseMs / 1000;

/** @param offset seconds of a minute at which the rollout started */
export const storedSplits = (offset: number) => {
  const splits: StoredSplit[] = [];
  const minuteOf = (seconds: number) => Math.floor((seconds + offset) / minuteSeconds) * minuteSeconds - offset;
  return {
    begin: (sinceStart: number): SplitCounts => {
      const minute = minuteOf(sinceStart);
      const split = { ...emptySplit(), border: emptySplit(), minute, merged: minute === sinceStart };
      splits.push(split);
      return split;
    },
    /** Stores what is reported in an interval that began then. */
    report: (began: number, report: (counts: SplitCounts) => void): void => {
      const split = splits.at(-1);
      if (!split) return;
      if (minuteOf(began) !== split.minute) {
        report(split);
        return;
      }
      const reported = emptySplit();
      report(reported);
      for (const to of [split, split.border]) {
        addCounts(to.stable, reported.stable, 1);
        addCounts(to.canary, reported.canary, 1);
      }
    },
    /** Merges what is old enough. Before the first split nothing is compared. */
    merge: (sinceStart: number): void => {
      for (const [index, split] of splits.entries()) {
        const before = splits[index - 1];
        const ends = split.minute + minuteSeconds + fineRetentionMs / 1000;
        if (split.merged || sinceStart < ends) continue;
        split.merged = true;
        for (const version of ["stable", "canary"] as const) {
          addCounts(split[version], split.border[version], -1);
          if (before) addCounts(before[version], split.border[version], 1);
        }
      }
    },
  };
};
