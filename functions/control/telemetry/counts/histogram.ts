/** Converts fine latency bins into the usual histogram buckets. */
import { type Bins, msOf } from "../../../gateway/observability/samples.ts";

/** Seconds; what OpenTelemetry's semantic conventions advise for `http.server.request.duration`, with two more for what is slow. */
export const bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];

export interface Histogram {
  /** One more than there are bounds: the last counts what exceeds them. */
  readonly counts: readonly number[];
  readonly count: number;
  /** Seconds, from the bins' middles: accurate to three per cent. */
  readonly sum: number;
}

export const histogram = (bins: Bins): Histogram => {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let count = 0;
  let sum = 0;
  for (const [bin, some] of bins) {
    const at = bounds.findIndex((bound) => msOf(bin) <= bound * 1000);
    const bucket = at === -1 ? bounds.length : at;
    counts[bucket] = (counts[bucket] ?? 0) + some;
    count += some;
    sum += (some * (bin > 0 ? (msOf(bin - 1) + msOf(bin)) / 2 : 0.5)) / 1000;
  }
  return { counts, count, sum: Number(sum.toPrecision(9)) };
};
