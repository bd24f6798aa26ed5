/** Draws the latency distributions of both versions as two text strips. Needs neither color nor a terminal. */

import { milliseconds } from "../../../functions/control/verdict/format.ts";
import type { Measurement, VersionStats } from "../../../functions/control/verdict/measurement.ts";
import { msOf } from "../../../functions/gateway/observability/samples.ts";
import { widthOf } from "../../terminal/terminal.ts";

const maxWidth = 40;
const heights = " ▁▂▃▄▅▆▇█";

/**
 * @param room in characters
 * @returns empty if neither version has had a request in a warm isolate
 */
export const latencyStrips = ({ stable, canary }: Measurement, room = widthOf("stdout")): string => {
  const bins = [...stable.latency, ...canary.latency].map(([bin]) => bin);
  if (bins.length === 0) return "";
  const [lowest, highest] = [Math.min(...bins), Math.max(...bins)];
  const figures = [stable, canary].map(figuresOf);
  const width = Math.min(maxWidth, Math.max(10, room - frame - Math.max(...figures.map(({ length }) => length))));
  const columns = { lowest, width, each: Math.max(1, Math.ceil((highest - lowest + 1) / width)) };
  const sides = [sharesOf(stable, columns), sharesOf(canary, columns)];
  // Both strips have the same scale, or the busier version would look slower.
  const max = Math.max(...sides.flat());
  const axis = `${milliseconds(msOf(lowest - 1))} to ${milliseconds(msOf(highest))}, each column ${columns.each === 1 ? "5 %" : `${Math.round((1.05 ** columns.each - 1) * 100)} %`} wider`;
  return [
    `latency, ${axis}`,
    ...["stable", "canary"].map((name, index) =>
      `${name} |${(sides[index] ?? []).map((it) => heightOf(it, max)).join("")}|  ${figures[index]}`.trimEnd(),
    ),
  ].join("\n");
};

interface Columns {
  readonly lowest: number;
  readonly width: number;
  /** Bins per column. */
  readonly each: number;
}

/** Shares of a version's requests, by column. */
const sharesOf = ({ latency }: VersionStats, { lowest, width, each }: Columns): number[] => {
  const shares = new Array<number>(width).fill(0);
  const all = countOf({ latency });
  for (const [bin, count] of latency) {
    const column = Math.floor((bin - lowest) / each);
    shares[column] = (shares[column] ?? 0) + count / all;
  }
  return shares;
};

/** A nonzero share is always visible; the square root makes the tail visible beside the bulk. */
const heightOf = (share: number, max: number): string =>
  share === 0 ? " " : (heights[Math.max(1, Math.round(Math.sqrt(share / max) * (heights.length - 1)))] ?? " ");

const countOf = ({ latency }: Pick<VersionStats, "latency">): number =>
  latency.reduce((sum, [, count]) => sum + count, 0);

const figuresOf = ({ p50, p90, p99 }: VersionStats): string =>
  p50 === null ? "" : `p50 ${milliseconds(p50)}  p90 ${milliseconds(p90)}  p99 ${milliseconds(p99)}`;

/** Characters around a strip: its name, the bars, the blanks before the figures. */
const frame = "stable ||  ".length;
